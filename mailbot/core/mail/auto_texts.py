"""How servers open the text of a delivery failure.

Some gateways send a bounce under our own subject from an address like a person's, so that neither a
header nor the subject tells; then the first lines of the text do. Only what a server says to the
sender counts (“您的邮件被退回”); a person writes of his own mail (“我的邮件被退回，重新报送”). What is
quoted or forwarded below is not looked at.

Not its business: what follows from it.
"""

from __future__ import annotations

import re
import unicodedata
from typing import Final

from mailbot.core.mail.traditional import SIMPLIFIED

_LOOKED_AT: Final = 600
"""Characters of the text: a greeting and the first sentences."""
_QUOTES = re.compile(
    r"^[ \t]*(?:>|-{2,} ?(?:原始|转发|回复|original|forwarded|begin forwarded)|begin forwarded message)",
    re.I | re.M,
)

_YOUR_MAIL = r"(?:您|你)(?:们)?(?:所)?(?:在[^，。\n]{1,30})?(?:(?:发|寄|投)[^，。\n]{0,60})?(?:的)?(?:邮件|信件|来信)"
_FAILED = (
    r"(?:已)?(?:被[^，。\n]{0,20})?(?:退回|退信|拒收|拒绝|未能?(?:成功)?(?:送达|投递|传递|发送)"
    r"|(?:无法|不能|没有)(?:成功)?(?:送达|投递|传递|发送)|(?:投递|发送|传递|递送)(?:失败|不成功))"
)
_PATTERNS: Final = tuple(
    re.compile(pattern, re.I)
    for pattern in (
        # At the head of its sentence: “群众反映的您的信件无法送达” is somebody's story.
        rf"(?:(?<![\u4e00-\u9fff])|(?<=[歉示知于为])){_YOUR_MAIL}[^，。\n]{{0,40}}?{_FAILED}",
        r"(?:以下|下列|这些)(?:的)?(?:收件人|收件者|地址|邮箱)[^。\n]{0,20}(?:投递|发送|传递|送达)?(?:失败|不成功|无法|未能)",
        r"(?:无法|未能|不能)(?:投递|发送|送达|传递)(?:到|给|至)(?:以下|下列|收件人)",
        r"传递至(?:这些|以下|下列)收件[人者](?:或群组)?失败",
        r"this is the (?:qmail|mail|postfix|exim|smtp)[\w .-]{0,30}(?:program|system|server) at",
        r"(?:wasn't|was not|weren't) able to deliver your (?:message|mail)",
        r"automatically (?:generated|created) delivery status notification",
        r"this message was created automatically by (?:the )?(?:mail|smtp|delivery)",
        r"your (?:message|mail|e-?mail)\b(?:[^.\n]|\.(?=\S)){0,120}?(?:"
        r"(?:could ?n[o']t|can ?not|can't|was not|wasn't|has not been) (?:be )?(?:delivered|sent)"
        r"|did not reach|is undeliverable|(?:is|was|has been) (?:rejected|returned|blocked))",
        r"(?:message|mail)(?:[^.\n]|\.(?=\S)){0,60}(?:could not|cannot|can't) be delivered to (?:one or more|the following|these)",
        r"(?:the following|this|a) (?:message|mail|e-?mail)(?:[^.\n]|\.(?=\S)){0,60}(?:could not|cannot|can't) be delivered",
        r"delivery (?:to|has failed to|failed to) (?:the following|these) recipients",
        r"following (?:address(?:es)?|recipients?)(?:[^.\n]|\.(?=\S)){0,30}(?:had|have) (?:permanent|fatal|undeliverable)",
        r"had the following undeliverable recipient",
        r"(?:i am|i'm) the \w{1,20} ml manager",
        r"(?:メール|メッセージ)を?(?:配信|配達|送信)(?:できません|でき?なかった|することができません)",
        r"(?:次|以下|下記)の(?:宛先|受信者|あて先)[^。\n]{0,30}(?:配信|配達|送信|届)",
        r"(?:ihre|die) (?:nachricht|e-?mail|mail)(?:[^.\n]|\.(?=\S)){0,120}?(?:nicht|nie) (?:zugestellt|übermittelt|gesendet)",
        r"fehler bei der nachrichtenzustellung|die zustellung an folgende",
        r"échec de la remise|votre (?:message|courriel)(?:[^.\n]|\.(?=\S)){0,80}(?:n'a pas pu|non) (?:être )?(?:remis|délivré)",
        r"no se (?:pudo|puede|ha podido) entregar",
        r"(?:메일|메시지)을? ?(?:전송|전달|배달)(?:하지 못|할 수 없|에 실패)",
    )
)


def bounce_phrase(text: str) -> str | None:
    """The words by which a text opens as a server's word of failure, or None. Linear."""
    head = unicodedata.normalize("NFKC", text[:_LOOKED_AT]).translate(SIMPLIFIED)
    quoted = _QUOTES.search(head)
    if quoted:
        head = head[: quoted.start()]
    head = head.replace("’", "'")
    for pattern in _PATTERNS:
        if match := pattern.search(head):
            return match[0]
    return None
