"""The columns of the template and what each kind of event needs of them: data, and what of it an
office without journals or levels has no use for.

A column's `key` is also the command's option; its header and aliases are what people write.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum

from mailbot.core.rules.events import NAMES, EventKind, Fault, Form, Outcome, Signer, UnitStatus
from mailbot.core.rules.rulebook import OfficeBook
from mailbot.core.rules.scorebook import Term

CHANNEL_NAMES = {
    "oa": "OA系统",
    "fax": "传真",
    "official_mail": "公文",
    "letter": "信函",
    "wechat": "微信",
    "other": "其他",
}
"""`app.records.CHANNELS` as the office calls them."""


class Read(StrEnum):
    """How a column is read, and how the template formats it."""

    TEXT = "text"
    DAY = "day"
    MOMENT = "moment"
    NUMBER = "number"
    COUNT = "count"
    YES = "yes"
    NAMES = "names"
    WORD = "word"
    """One of a closed list: `Column.words`."""


@dataclass(frozen=True, slots=True)
class Column:
    """One column of the template. `key` is the option's name with underscores."""

    key: str
    header: str
    read: Read
    hint: str
    aliases: tuple[str, ...] = ()
    words: Mapping[str, str] = field(default_factory=dict)
    """Code to word, of closed lists."""


def _named(words: type[StrEnum], *only: StrEnum) -> dict[str, str]:
    return {w.value: NAMES[w.value] for w in (only or words)}


KIND_COLUMN = Column(
    "kind", "事项", Read.WORD, "发生了什么事，每行必填", ("事件", "类型"), _named(EventKind)
)

COLUMNS: tuple[Column, ...] = (
    KIND_COLUMN,
    Column("unit", "单位", Read.TEXT, "名册上的单位名称或别名", ("报送单位", "单位名称")),
    Column("day", "日期", Read.MOMENT, "事情发生的日期；报送填收到的时间", ("时间", "收到时间", "发生日期")),
    Column("receipt", "回执编号", Read.TEXT, "信息的回执编号，例如 EQ202608-0012", ("编号", "回执号", "信息编号")),
    Column("title", "标题", Read.TEXT, "信息标题；没有回执编号时按单位和标题查找", ("信息标题", "题目")),
    Column("category", "类别", Read.TEXT, "报送的信息类别", ("信息类别", "分类")),
    Column("channel", "渠道", Read.WORD, "报送的渠道；邮件由系统自动登记，不在这里填", ("报送渠道", "方式"), CHANNEL_NAMES),
    Column("submitter", "报送人", Read.TEXT, "可不填", ("联系人",)),
    Column("contact", "联系方式", Read.TEXT, "可不填", ("电话", "联系电话", "手机")),
    Column("commissioned", "约稿信息", Read.YES, "这条信息是不是按约稿报来的", ("是否约稿",)),
    Column("follow_up", "续报", Read.YES, "是不是续报（续报只显示，不另计数）", ("是否续报",)),
    Column("scope", "发布范围", Read.TEXT, "信息上标注的发布范围，可不填"),
    Column("journal", "刊物", Read.TEXT, "采用的刊物", ("采用刊物", "刊物名称")),
    Column("form", "采用形式", Read.WORD, "采用的形式；批示、转报的规则区别综合与全文时也要填", ("体裁", "形式"), _named(Form)),
    Column("level", "级别", Read.TEXT, "批示、转报、约稿的级别", ("层级", "批示级别", "领导级别")),
    Column("urgent_major", "重大紧急类", Read.YES, "信息是不是重大紧急类", ("是否重大紧急", "重大紧急")),
    Column("outcome", "完成情况", Read.WORD, "约稿是否按时按要求完成", ("约稿结果", "结果"), _named(Outcome, Outcome.DONE, Outcome.MISSED)),
    Column("fault", "差错类型", Read.WORD, "迟报、漏报、瞒报、错报、失实等", ("差错", "问题类型"), _named(Fault)),
    Column("major", "重大信息", Read.YES, "差错涉及的是不是重大信息", ("是否重大",)),
    Column("serious", "情节严重", Read.YES, "差错情节是否严重", ("是否严重",)),
    Column("bad_effect", "不良影响", Read.YES, "是否造成不良影响", ("造成不良影响", "是否造成不良影响")),
    Column("forecast", "预测预警", Read.YES, "是预测预警，或已及时报送而情况后来变化", ("预测性信息",)),
    Column("deputy", "分管负责人", Read.NAMES, "差错当天在任的；不填按名册，没有写 无", ("分管领导",)),
    Column("liaison", "信息员", Read.NAMES, "差错当天在任的；不填按名册，没有写 无", ("日常联络人", "联络员")),
    Column("about", "涉及记录", Read.TEXT, "情况说明针对的记录编号", ("记录编号", "针对记录")),
    Column("accepted", "是否采纳", Read.YES, "情况说明是否被采纳", ("采纳",)),
    Column("signer", "签字人", Read.WORD, "情况说明由谁签字", ("签字人职务",), _named(Signer)),
    Column("status", "资格状态", Read.WORD, "从这一天起的资格", ("状态",), _named(UnitStatus)),
    Column("rule", "记分规则", Read.TEXT, "人工记分依据的规则", ("规则",)),
    Column("points", "分值", Read.NUMBER, "人工记分的分数，扣分写负数", ("分数", "得分")),
    Column("list", "名单", Read.TEXT, "列入通报的哪个名单", ("名单名称",)),
    Column("task", "任务编号", Read.TEXT, "台账里的任务编号", ("任务",)),
    Column("number", "约稿编号", Read.TEXT, "布置约稿时定的编号；办结时填同一个编号", ("约稿号",)),
    Column("due", "完成期限", Read.DAY, "任务、约稿的完成期限；任务不填按台账", ("期限", "截止日期")),
    Column("times", "数量", Read.COUNT, "人数、人次、篇次，不填为 1", ("人数", "人次")),
    Column("partners", "联合单位", Read.NAMES, "联合报送的其他单位，用顿号隔开", ("合作单位",)),
    Column("shares", "分配比例", Read.NAMES, "例如 农牧局0.6、水利局0.4，合计为 1", ("分配",)),
    Column("reason", "理由", Read.TEXT, "为什么；人工记分和列入名单必填", ("原因", "备注", "说明")),
    Column("evidence", "依据", Read.TEXT, "文号、期号、批示单、截图等，每行必填", ("凭证", "佐证", "依据材料")),
    Column("not_duplicate", "确非重复", Read.YES, "系统提示重复、而经核对确为另一件时写 是"),
)  # fmt: skip

BY_KEY: dict[str, Column] = {c.key: c for c in COLUMNS}
IGNORED_HEADERS = frozenset({"序号", "序", "no", "no."})


@dataclass(frozen=True, slots=True)
class Needs:
    """What one kind of event needs and may have. `item`: `must` be about an item of ours, named by
    receipt number or by unit and title; `may`; or not at all."""

    required: tuple[str, ...]
    optional: tuple[str, ...] = ()
    item: str = ""

    @property
    def known(self) -> frozenset[str]:
        always = ("kind", "unit", "day", "reason", "evidence", "not_duplicate")
        named = ("receipt", "title") if self.item else ()
        return frozenset((*always, *named, *self.required, *self.optional))


_JOINT = ("partners", "shares")
NEEDS: dict[EventKind, Needs] = {
    EventKind.SUBMISSION: Needs(
        ("unit", "day", "title", "category", "channel", "evidence"),
        ("submitter", "contact", "commissioned", "urgent_major", "follow_up", "scope"),
    ),
    EventKind.ADOPTION: Needs(
        ("day", "journal", "evidence"), ("form", "level", "urgent_major", *_JOINT), "must"
    ),
    EventKind.INSTRUCTION: Needs(
        ("day", "level", "evidence"), ("form", "urgent_major", *_JOINT), "must"
    ),
    EventKind.FORWARDING: Needs(
        ("day", "level", "evidence"), ("form", "urgent_major", *_JOINT), "must"
    ),
    EventKind.COMMISSION: Needs(
        ("unit", "day", "level", "outcome", "evidence"), ("number", "times"), "may"
    ),
    EventKind.STAFF: Needs(("unit", "day", "evidence"), ("times",)),
    EventKind.TRAINING: Needs(("unit", "day", "evidence"), ("times",)),
    EventKind.JOINT_RESEARCH: Needs(("unit", "day", "evidence"), ("times", *_JOINT), "may"),
    EventKind.FILING: Needs(("unit", "day", "evidence"), ("title",)),
    EventKind.ERROR: Needs(
        ("unit", "day", "fault", "evidence"),
        ("major", "serious", "bad_effect", "forecast", "deputy", "liaison", "times"),
        "may",
    ),
    EventKind.EXPLANATION: Needs(("about", "day", "accepted", "signer", "evidence")),
    EventKind.MANUAL: Needs(("unit", "day", "rule", "points", "reason", "evidence")),
    EventKind.MENTION: Needs(("unit", "day", "list", "reason", "evidence")),
    EventKind.STATUS: Needs(("unit", "day", "status", "evidence")),
    EventKind.TASK: Needs(("unit", "day", "task", "evidence"), ("due",)),
    EventKind.TASK_DONE: Needs(("unit", "day", "task", "evidence")),
    EventKind.ASSIGNMENT: Needs(("unit", "day", "title", "due", "evidence"), ("number", "level")),
}
"""By kind; the order of the template's explanations."""


def needs_in(kind: EventKind, book: OfficeBook) -> Needs:
    """Nobody can write a journal or a level where the office's data has none for such events: then
    it is not asked for."""
    needs = NEEDS[kind]
    wordless = {"journal": not book.scoring.journals, "level": not levels_for(kind, book)}
    dropped = tuple(k for k in needs.required if wordless.get(k))
    return replace(
        needs,
        required=tuple(k for k in needs.required if k not in dropped),
        optional=(*needs.optional, *dropped),
    )


def levels_for(kind: EventKind, book: OfficeBook) -> list[Term]:
    """The levels that may be written with such an event; a commission has one when it is given."""
    used = EventKind.COMMISSION if kind is EventKind.ASSIGNMENT else kind
    return [t for t in book.scoring.levels if not t.events or used in t.events]


def columns_in(book: OfficeBook) -> tuple[Column, ...]:
    """The columns an office's people are offered: none that they would have no word for."""
    wordless = {"journal": not book.scoring.journals, "level": not book.scoring.levels}
    return tuple(c for c in COLUMNS if not wordless.get(c.key))
