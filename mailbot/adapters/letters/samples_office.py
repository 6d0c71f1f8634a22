"""Sample letters to the office's own people: quiet and busy rounds, drafts without and with
everything unusual, an empty morning and a full one."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime
from zoneinfo import ZoneInfo

from mailbot.adapters.letters.samples_answers import OFFICE
from mailbot.adapters.letters.samples_units import MONTH, REMARK, SEVERAL
from mailbot.core.letters.every import Letter
from mailbot.core.letters.office import (
    Digest,
    DigestLine,
    DigestPart,
    DraftLine,
    DraftMail,
    RoundLine,
    RoundSummary,
    SecretsAlert,
)
from mailbot.core.letters.periodic import DueLine

DUE = (
    DueLine("更新部门权责清单。", "（十五）", "GK-21", date(2026, 12, 31), 5),
    DueLine("健全工作机制。", "", "GK-30", None, None),
)
_ZONE = ZoneInfo("Asia/Shanghai")
_MORNING = datetime(2026, 10, 9, 8, 30, tzinfo=_ZONE)

ROUND = RoundSummary(
    office=OFFICE,
    name="报送任务提醒",
    period="2026年8月",
    stage="first",
    deadline=date(2026, 8, 31),
    short=(
        RoundLine(
            "农牧局",
            "第二组",
            (MONTH,),
            sent=("信息员 zhangsan@example.org", "主要负责人 wangjia@example.org"),
        ),
        RoundLine(
            "某某镇人民政府", "第一组", SEVERAL, unsent=("信息员没有邮箱", "主要负责人没有邮箱")
        ),
        RoundLine(
            "税务局",
            "第三组",
            (MONTH, REMARK),
            sent=("信息员 lisi@example.org",),
            unsent=("名册里没有主要负责人",),
        ),
        RoundLine("无组单位", "", (REMARK,), sent=("信息员 zhaoliu@example.org",)),
    ),
    met=48,
    sent=4,
    thanked=48,
)

DRAFT = DraftMail(
    office=OFFICE,
    draft=12,
    name="季度通报",
    period="2026年第三季度",
    title="关于2026年第三季度政务信息报送情况的通报",
    summary=(
        "第三季度共收到51个单位报送的政务信息1204条，采用86条。",
        "第一组前三名：某某镇人民政府、某某经济开发区、某某苏木人民政府。",
    ),
    flags=(
        "税务局主要负责人没有邮箱，批准后收不到通报，请在名册中补填。",
        "第二组第3名并列：农牧局、水利局，均为42.5分。",
        "教育体育局由第2名降至第14名，下降12位，请核对其登记情况。",
        "2026年第二季度的更正2条将写入本期通报。",
    ),
    recipients=(
        DraftLine("农牧局　主要负责人　王甲", "wangjia@example.org"),
        DraftLine("税务局　主要负责人", ""),
        DraftLine("某某旗　分管副旗长", "lingdao@example.org"),
    ),
    files=(
        "第12号草稿 关于2026年第三季度政务信息报送情况的通报.docx",
        "第12号草稿 2026年第三季度排名表.xlsx",
    ),
    token="ABCDEFGH",
    valid_until=datetime(2026, 10, 16, 18, 0, tzinfo=_ZONE),
    seals=True,
)

DIGEST = Digest(
    office=OFFICE,
    day=_MORNING.date(),
    since=datetime(2026, 9, 30, 8, 30, tzinfo=_ZONE),
    until=_MORNING,
    parts=(
        DigestPart(
            "收到",
            (
                DigestLine(
                    datetime(2026, 9, 30, 9, 2, tzinfo=_ZONE),
                    "农牧局：春耕备耕工作进展顺利",
                    "SL202609-0088",
                ),
                DigestLine(datetime(2026, 10, 1, 10, 15, tzinfo=_ZONE), "水利局：秋汛防御有序推进"),
            ),
            37,
        ),
        DigestPart(
            "待核",
            (
                DigestLine(
                    datetime(2026, 9, 30, 16, 40, tzinfo=_ZONE),
                    "来自 zhaoliu@example.org：主题未写明单位",
                    "请用 mailbot mail show 88 查看后处理",
                ),
            ),
            1,
            urgent=True,
        ),
        DigestPart("退信", (), 0),
        DigestPart(
            "今天到期",
            (DigestLine(None, "2026年第三季度通报待审批（第12号草稿）"),),
            1,
            urgent=True,
        ),
        DigestPart(
            "自动回执",
            (
                DigestLine(
                    datetime(2026, 9, 30, 9, 3, tzinfo=_ZONE),
                    "zhangsan@example.org",
                    "SL202609-0088",
                ),
            ),
            1,
        ),
    ),
    warnings=("节假日安排只到2026年12月31日，请在国务院办公厅公布2027年放假安排后补充。",),
)

SECRETS = SecretsAlert(
    office=OFFICE, number=412, received=_MORNING, mailbox="xinxi", folder="INBOX"
)

OFFICE_LETTERS: tuple[Letter, ...] = (
    ROUND,
    replace(ROUND, short=(), sent=0, thanked=0, met=52),
    replace(
        ROUND,
        name="月度报送结果",
        stage="",
        short=tuple(replace(ROUND.short[0], unit=f"第{n}局") for n in range(1, 53)),
        met=0,
        sent=52,
        thanked=0,
    ),
    replace(ROUND, short=(), met=51, sent=0, remarks=(RoundLine("投资公司", "", (REMARK,)),)),
    RoundSummary(
        office=OFFICE,
        name="任务提醒",
        period="2026年12月31日到期的任务",
        stage="before",
        deadline=date(2026, 12, 31),
        short=(RoundLine("财政局", "", (), sent=("信息员 zhouwu@example.org",), due=DUE),),
        met=3,
        sent=1,
        what="任务",
        unassigned=DUE[:1],
    ),
    DRAFT,
    # quiet: nothing unusual, nobody to send to, and a reader who may not approve
    replace(
        DRAFT,
        name="零采用单位名单",
        summary=(),
        flags=(),
        recipients=(),
        files=(),
        token="",
        valid_until=None,
        seals=False,
    ),
    replace(DRAFT, valid_until=None, flags=DRAFT.flags[:1], recipients=DRAFT.recipients * 30),
    SECRETS,
    replace(SECRETS, folder="垃圾邮件", last=True),
    DIGEST,
    replace(DIGEST, parts=(), warnings=()),
    replace(DIGEST, parts=(DIGEST.parts[2],), warnings=()),
    replace(DIGEST, parts=tuple(replace(p, urgent=False) for p in DIGEST.parts)),
)
