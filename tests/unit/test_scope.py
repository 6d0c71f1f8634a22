"""Distribution scopes as people mark them, and sentences that only speak of them."""

from __future__ import annotations

import pytest

from mailbot.core.intake.scope import distribution_scope

BODY = "各项工作有序推进，群众满意。\n"


@pytest.mark.parametrize(
    ("subject", "text", "scope"),
    [
        ("", f"发布范围：旗政府领导\n{BODY}", "旗政府领导"),
        ("", f"{BODY * 40}信息公开范围: 系统内部；联系人张三", "系统内部"),
        ("农牧局+春耕（不宜公开）+张三+7622029", BODY, "不宜公开"),
        ("", f"【仅供旗委、旗政府领导参阅】\n{BODY}", "仅供旗委、旗政府领导参阅"),
        ("", f"{BODY}（此件公开发布）", "公开发布"),
        ("", f"{BODY}（限本系统阅知）", "限本系统阅知"),
        ("", BODY, ""),
        ("", "我局主动公开政务信息120条，公开范围不断扩大。", ""),
        ("", BODY * 20 + "发布范围：全旗\n" + BODY * 20, ""),
    ],
)
def test_scope(subject: str, text: str, scope: str) -> None:
    assert distribution_scope(subject, text) == scope
