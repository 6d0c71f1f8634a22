"""Sample answers to what a mail asks for: full and empty accounts, an item with its story, help,
appeals, commands that could not be carried out, decisions about drafts."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

from mailbot.adapters.letters.samples_answers import OFFICE
from mailbot.adapters.letters.samples_units import COUNTED, MET, MONTH, OPEN, REMARK
from mailbot.core.letters.every import Letter
from mailbot.core.letters.service import (
    Account,
    AccountEntry,
    AppealAnswer,
    AppealLine,
    AppealReceived,
    DraftDecided,
    Help,
    ItemAccount,
    NotDone,
)

_ENTRIES = (
    AccountEntry(
        date(2026, 8, 3), Decimal(1), "报送动态1条：春耕备耕工作进展顺利", "二（四）1（1）"
    ),
    AccountEntry(date(2026, 9, 2), Decimal("22.5"), "《某某政讯》采用", "二（四）1（2）"),
    AccountEntry(date(2026, 9, 3), Decimal(-2), "更正：重复登记1条", ""),
)
_APPEALS = (
    AppealLine(3, "SL202608-0003", date(2026, 9, 5), ""),
    AppealLine(2, "计分第17条", date(2026, 8, 5), "经核实，该条已按采用计分。"),
)
ACCOUNT = Account(
    office=OFFICE,
    unit="农牧局",
    period="2026年8月",
    over=False,
    quotas=(MONTH,),
    counted=COUNTED,
    open=OPEN,
    points=Decimal("21.5"),
    entries=_ENTRIES,
    appeals=_APPEALS,
)
ITEM = ItemAccount(
    office=OFFICE,
    unit="农牧局",
    receipt="SL202608-0003",
    title="春耕备耕工作进展顺利",
    received=datetime(2026, 8, 3, 9, 31, tzinfo=ZoneInfo("Asia/Shanghai")),
    category="动态",
    state="已登记",
    history=("2026年8月3日09:31收到并登记。", "2026年9月2日《某某政讯》采用。"),
    entries=_ENTRIES,
    appeals=_APPEALS,
)
_DECIDED = DraftDecided(
    office=OFFICE,
    draft=12,
    title="关于2026年第三季度政务信息报送情况的通报",
    approved=True,
    said=("2026年第三季度已封存。", "51封通报邮件已列入发送，约20分钟发完。"),
)

SERVICE: tuple[Letter, ...] = (
    ACCOUNT,
    replace(ACCOUNT, over=True, quotas=(MET, REMARK), open=(), appeals=()),
    replace(
        ACCOUNT,
        quotas=(),
        counted=(),
        open=(),
        points=None,
        entries=(),
        appeals=(),
        note="2019年3月尚无计分规定，只列出报送情况。",
    ),
    ITEM,
    replace(ITEM, title="", category="", state="已退回", history=(), entries=(), appeals=()),
    Help(
        office=OFFICE,
        unit="农牧局",
        fields=("报送单位", "信息标题", "报送人", "联系方式"),
        example="农牧局+春耕备耕工作进展顺利+张三+7622029",
        commands=(
            ("查询", "查看贵单位本月的报送和计分情况"),
            ("查询 2026年8月", "查看指定月份的情况"),
            ("申诉 SL202608-0003", "对登记或计分有异议时提出"),
            ("帮助", "收到本说明"),
        ),
    ),
    Help(office=OFFICE, unit="", fields=(), example="", commands=()),
    AppealReceived(office=OFFICE, unit="农牧局", number=3, about="SL202608-0003"),
    AppealAnswer(
        office=OFFICE,
        unit="农牧局",
        number=3,
        about="SL202608-0003",
        text=("经核实，该条信息已被采用，补记20分。", "感谢贵单位的监督。"),
    ),
    AppealAnswer(office=OFFICE, unit="农牧局", number=4, about="", text=()),
    NotDone(
        office=OFFICE,
        command="查询 2026年13月",
        found="“2026年13月”不是月份",
        remedy="请写成“查询 2026年8月”或“查询 SL202608-0003”。",
    ),
    NotDone(office=OFFICE, command="", found="没有读到要办的事项", remedy=""),
    _DECIDED,
    replace(_DECIDED, approved=False, said=("退回原因：税务局条数有误。",)),
    replace(_DECIDED, approved=False, title="", said=()),
)
