"""Traditional characters as simplified ones, for comparing words we look for.

Not a conversion of texts: only the characters of the phrases that `auto_subjects`, `auto_texts` and
the secrets marks know, each one to one, so that positions stay what they were.
"""

from __future__ import annotations

from typing import Final

_PAIRS = (
    "絕绝機机祕秘級级別别長长個个無无內内資资傳传閱阅讀读擴扩發发轉转僅仅嚴严請请勿勿"
    "郵邮遞递敗败達达動动應应復复覆复狀状態态遲迟誤误統统訊讯對对離离職职節节報报產产"
    "聯联給给與与為为這这們们戶户號号錯错還还過过滿满絡络給给誰谁從从來来時时終终說说"
    "撤撤召召於于據据處处體体試试務务員员實实區区單单寫写電电話话經经導导"
)
SIMPLIFIED: Final = {ord(a): ord(b) for a, b in zip(_PAIRS[::2], _PAIRS[1::2], strict=True)}
"""For `str.translate`."""
