"""Sample letters to units by the calendar: nothing sent and much sent, several quotas, remarks,
nothing open, overdue tasks, long names, names that are missing."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime
from zoneinfo import ZoneInfo

from mailbot.adapters.letters.samples_answers import OFFICE
from mailbot.core.letters.every import Letter
from mailbot.core.letters.periodic import (
    AdoptionNews,
    CountedItem,
    DueLine,
    NewsLine,
    OpenItem,
    PeriodResult,
    QuotaLine,
    Reminder,
    TaskReminder,
    Thanks,
)

MONTH = QuotaLine("信息", 8, 5, 3)
MET = QuotaLine("信息", 8, 9, 0)
SEVERAL = (
    QuotaLine("主动报送信息", 20, 14, 6),
    QuotaLine("调研类信息（每月）", 1, 1, 0),
    QuotaLine("市专报信息", 2, 0, 2),
)
REMARK = QuotaLine("专报", 1, 0, 1, remark_only=True)
COUNTED = (
    CountedItem("SL202608-0003", "春耕备耕工作进展顺利", date(2026, 8, 3), "动态"),
    CountedItem("SL202608-0012", "全旗中小学秋季开学准备工作就绪", date(2026, 8, 12), "简讯"),
    CountedItem(
        "SL202608-0031", "关于基层农技推广队伍建设情况的调研报告", date(2026, 8, 19), "调研报告"
    ),
    CountedItem("SL202608-0040", "秋粮长势良好", date(2026, 8, 20), "动态"),
    CountedItem("SL202608-0044", "牧区抗旱保畜有序开展", date(2026, 8, 24), "动态"),
)
OPEN = (
    OpenItem("SL202608-0014", "农机安全检查", date(2026, 8, 12)),
    OpenItem("SL202608-0027", "", date(2026, 8, 18)),
    OpenItem("SL202608-0033", "畜牧业高质量发展情况", date(2026, 8, 19), held=True),
)
_LONG_UNIT = "某某旗重大项目建设与营商环境优化提升工作领导小组办公室（数据和行政审批服务中心）"

REMINDER = Reminder(
    office=OFFICE,
    unit="农牧局",
    role="liaison",
    liaison="张三",
    period="2026年8月",
    deadline=date(2026, 8, 31),
    days_left=5,
    quotas=(MONTH,),
    counted=COUNTED,
    open=OPEN,
    document="某政办发〔2022〕65号",
    clause="二（四）1（1）",
    example="农牧局+春耕备耕工作进展顺利+张三+7622029",
    stage="first",
)
RESULT = PeriodResult(
    office=OFFICE,
    unit="农牧局",
    role="liaison",
    liaison="张三",
    period="2026年8月",
    deadline=date(2026, 8, 31),
    days_left=0,
    quotas=(MONTH,),
    counted=COUNTED,
    open=OPEN[:1],
    document="某政办发〔2022〕65号",
    clause="二（四）1（1）",
    example="农牧局+春耕备耕工作进展顺利+张三+13900000000",
)

UNIT_LETTERS: tuple[Letter, ...] = (
    REMINDER,
    # to the head, on the last day, with nothing sent and two names for the same debt
    replace(
        REMINDER,
        unit=_LONG_UNIT,
        role="head",
        days_left=1,
        quotas=SEVERAL,
        counted=(),
        open=OPEN[2:],
        stage="last",
        last_stage=True,
    ),
    replace(REMINDER, role="head", liaison="", open=(), quotas=(replace(MONTH, got=0, missing=8),)),
    # only what is asked for in principle is missing; a copy to the recommending unit
    replace(
        REMINDER,
        role="recommender",
        unit="某某产业研究院",
        period="2026年第三季度",
        deadline=date(2026, 9, 30),
        days_left=0,
        quotas=(QuotaLine("信息", 3, 3, 0), REMARK),
        document="",
        clause="",
        example="",
    ),
    replace(
        REMINDER, counted=COUNTED * 60, quotas=(replace(MONTH, need=400, got=300, missing=100),)
    ),
    RESULT,
    replace(RESULT, role="head", quotas=(MET,), open=(), document="", clause=""),
    replace(RESULT, role="head", quotas=SEVERAL, counted=(), open=(), liaison=""),
    replace(RESULT, quotas=(MET, REMARK)),
    replace(RESULT, office=replace(OFFICE, correction_days=3), open=OPEN),
    Thanks(
        office=OFFICE,
        unit="农牧局",
        role="liaison",
        liaison="张三",
        period="2026年8月",
        deadline=date(2026, 8, 31),
        days_left=5,
        quotas=(MET,),
        counted=COUNTED,
        open=OPEN[:1],
        document="某政办发〔2022〕65号",
        clause="二（四）1（1）",
        example="",
    ),
    TaskReminder(
        office=OFFICE,
        unit="财政局",
        role="liaison",
        document="某政办发〔2021〕5号",
        lines=(
            DueLine(
                "将本级政府债务限额、余额等信息在政府网站集中公开，并做好解读。",
                "（三）",
                "GK-07",
                date(2026, 12, 31),
                12,
            ),
            DueLine("更新部门权责清单。", "（十五）", "GK-21", date(2026, 12, 14), -1),
            DueLine("健全工作机制。", "", "GK-30", None, None),
            DueLine("公布年度审计结果。", "（五）", "GK-33", date(2026, 12, 15), 0),
        ),
    ),
    TaskReminder(
        office=OFFICE,
        unit="农牧局",
        role="head",
        document="",
        lines=(DueLine("秋粮收购资金保障情况", "", "YG-3", date(2026, 9, 10), 3),),
        commissions=True,
    ),
    TaskReminder(
        office=OFFICE,
        unit="农牧局",
        role="liaison",
        document="某政办发〔2022〕65号",
        lines=(
            DueLine("秋粮收购资金保障情况", "二（四）2（3）", "YG-3", date(2026, 9, 7), -3),
            DueLine("牧区饲草储备", "", "YG-4", date(2026, 9, 10), 1),
        ),
        commissions=True,
    ),
    TaskReminder(
        office=OFFICE,
        unit="农牧局",
        role="liaison",
        document="",
        lines=(DueLine("冬季饲草储备情况", "", "", date(2026, 9, 10), 3),),
        commissions=True,
    ),
    AdoptionNews(
        office=OFFICE,
        unit="农牧局",
        to="张三",
        lines=(
            NewsLine(
                "SL202608-0031",
                "关于基层农技推广队伍建设情况的调研报告",
                date(2026, 9, 2),
                "《某某政讯》采用",
            ),
        ),
    ),
    AdoptionNews(
        office=OFFICE,
        unit="农牧局",
        to="",
        lines=(
            NewsLine("SL202608-0031", "基层农技推广", date(2026, 9, 2), "《某某政讯》采用"),
            NewsLine("SL202608-0003", "春耕备耕工作进展顺利", date(2026, 9, 4), "市领导批示"),
        ),
        since=datetime(2026, 8, 31, 9, 0, tzinfo=ZoneInfo("Asia/Shanghai")),
    ),
)
