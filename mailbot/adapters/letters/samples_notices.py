"""Sample mails that bring an approved notice: high, tied, fallen, unranked, without points, with
charts, to readers outside the units, and a unit's own letter."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

from mailbot.adapters.letters.samples_answers import OFFICE
from mailbot.adapters.letters.samples_units import MET, REMARK, SEVERAL
from mailbot.core.letters.every import Letter
from mailbot.core.letters.notices import ChartImage, Cover, OwnNotice, ReaderCover, UnitLine

LINE = UnitLine(
    table="第二组",
    place=3,
    of=31,
    tied=0,
    previous_place=5,
    change=2,
    submissions=26,
    adopted=4,
    points=Decimal("142.5"),
    cumulative=Decimal("398"),
    quotas=(MET,),
    listed=("通报表扬：季度得分列第二组前三名",),
)
COVER = Cover(
    office=OFFICE,
    unit="农牧局",
    to="王甲",
    role="head",
    period="2026年第三季度",
    title="关于2026年第三季度政务信息报送情况的通报",
    number="某政办发〔2026〕12号",
    line=LINE,
    files=("关于2026年第三季度政务信息报送情况的通报.docx", "农牧局2026年第三季度计分明细.xlsx"),
    charts=(
        ChartImage(
            "months@mailbot",
            "各月报送条数",
            "各月报送条数：7月8条，8月9条，9月9条；每月应报8条。",
            480,
            200,
        ),
    ),
)

NOTICES: tuple[Letter, ...] = (
    COVER,
    replace(
        COVER,
        to="",
        role="deputy",
        number="",
        line=replace(
            LINE,
            tied=2,
            previous_place=2,
            change=-12,
            place=14,
            quotas=(*SEVERAL, REMARK),
            listed=(
                "连续两个月未报送信息：2026年8月、9月",
                "拟约谈：连续两个月未报送信息（三（五））",
            ),
        ),
        charts=(),
    ),
    replace(COVER, line=replace(LINE, place=1, tied=1, previous_place=1, change=0, listed=())),
    # nothing at all, on a place that everybody shares
    replace(
        COVER,
        files=(),
        line=replace(
            LINE,
            place=1,
            tied=30,
            previous_place=1,
            change=0,
            submissions=0,
            adopted=0,
            points=Decimal(0),
            cumulative=Decimal(0),
            quotas=(),
            listed=(),
            silent=True,
        ),
        charts=(),
    ),
    # first quarter, no points, no quota, nothing adopted
    replace(
        COVER,
        role="liaison",
        files=(),
        line=replace(
            LINE,
            previous_place=None,
            change=None,
            points=None,
            cumulative=None,
            adopted=0,
            quotas=(),
            listed=(),
        ),
        charts=(),
    ),
    replace(
        COVER,
        period="2026年上半年",
        line=replace(LINE, table="", place=None, of=0, previous_place=None, change=None),
        charts=(),
    ),
    # one ranking of all, without groups
    replace(COVER, role="recommender", unit="某某产业研究院", line=replace(LINE, table="", of=52)),
    replace(COVER, period="2026年", line=replace(LINE, table="第二组", place=None, change=None)),
    ReaderCover(
        office=OFFICE,
        to="某某旗分管副旗长",
        period="2026年第三季度",
        title="关于2026年第三季度政务信息报送情况的通报",
        number="某政办发〔2026〕12号",
        summary=("第三季度共收到51个单位报送的政务信息1204条，采用86条。",),
        files=("关于2026年第三季度政务信息报送情况的通报.docx",),
    ),
    ReaderCover(
        office=OFFICE, to="", period="2026年", title="年度考核结果", number="", summary=(), files=()
    ),
    OwnNotice(
        office=OFFICE,
        unit="审计局",
        to="",
        role="head",
        period="2026年第三季度",
        title="政务信息零报送单位告知书",
        text=("贵单位2026年第三季度未报送政务信息，现予告知，详见附件。",),
        files=("政务信息零报送单位告知书（审计局）.docx",),
    ),
    OwnNotice(
        office=OFFICE,
        unit="审计局",
        to="赵乙",
        role="deputy",
        period="2026年第三季度",
        title="政务信息零报送单位告知书",
        text=(),
        files=(),
    ),
)
