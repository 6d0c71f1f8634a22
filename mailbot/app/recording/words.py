"""What the names in an entry mean: units, items, journals, levels, categories, rules, lists, tasks.

Each look-up returns what is meant or raises `Wrong` with the nearest names; what only resembles a
name is never taken.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from datetime import date, datetime, timedelta
from decimal import Decimal

from mailbot.app.ports import Reads
from mailbot.app.recording.columns import levels_for
from mailbot.app.recording.values import Wrong, likest, near, read_part
from mailbot.app.records import ItemRow, ItemState
from mailbot.app.staff import COUNTED, NotDone, resolve_unit
from mailbot.core.intake.titles import normal_title, similarity
from mailbot.core.rules.basis import in_force
from mailbot.core.rules.events import NAMES, EventKind
from mailbot.core.rules.kinds import Manual, Rule
from mailbot.core.rules.numbers import plain
from mailbot.core.rules.periods import OFFICE_ZONE, day_of
from mailbot.core.rules.rulebook import Category, OfficeBook
from mailbot.core.rules.scorebook import LedgerTask, ListKind, ListRule, Term
from mailbot.core.subject.roster import Unit, UnitName

LOOK_BACK = timedelta(days=730)
"""How long before an event its item may have come: journals print with delay, not with years."""
ALIKE = 0.4
"""Similarity from which a title is offered in place of one that is not found."""


class Several(Wrong):
    """More than one thing is called so."""


def find_unit(text: str, book: OfficeBook, day: date, *, present: bool = True) -> Unit:
    """Raises `Wrong` for an unknown unit, and for one that is not on the roster that day when it
    has to be."""
    try:
        unit = book.roster.get(resolve_unit(text, book, day))
    except NotDone as fault:
        names = "、".join(fault.choices)
        if fault.code == "several_units":
            raise Several(f"“{text[:30]}”可以指几个单位", f"写全称：{names}") from None
        hint = f"是不是 {names}？" if names else "写名册上的名称（mailbot rules units 可查）"
        raise Wrong(f"没有单位“{text[:30]}”", hint) from None
    if present and not unit.on(day):
        if unit.start and day < unit.start:
            span = f"{unit.start} 起才在名册"
        else:
            span = f"名册上到 {unit.end} 为止"
        raise Wrong(f"{unit.name} {day} 不在名册（{span}）", "核对单位和日期")
    return unit


def find_term(text: str, terms: Sequence[Term], what: str) -> Term:
    """A journal or level by id, name or alias, with or without 《》."""
    wanted = _plain(text)
    for term in terms:
        if wanted in [_plain(w) for w in (term.id, term.name, *term.aliases)]:
            return term
    owner = {n: t.name for t in terms for n in (*t.aliases, t.name)}
    meant = dict.fromkeys(owner[n] for n in likest(text, list(owner)))
    raise Wrong(f"没有{what}“{text[:30]}”", near(text, meant or [t.name for t in terms]))


def find_level(text: str, book: OfficeBook, kind: EventKind) -> Term:
    allowed = levels_for(kind, book)
    if not book.scoring.levels:
        raise Wrong(
            f"本办公室的规则没有分级别，“{text[:30]}”没有用处", "不写级别；要分级别，先写进规则文件"
        )
    try:
        level = find_term(text, book.scoring.levels, "级别")
    except Wrong:
        level = find_term(text, allowed, "级别")  # the nearest of those that may be written
    if level not in allowed:
        names = "、".join(t.name for t in allowed)
        raise Wrong(
            f"“{level.name}”不用于{NAMES[kind.value]}",
            f"可以写：{names}" if names else "清空这一格",
        )
    return level


def find_category(text: str, book: OfficeBook, day: date) -> Category:
    """Raises `NoRuleInForce` where there are no categories yet on the day."""
    categories = book.categories_on(day).categories
    wanted = _plain(text)
    for category in categories:
        if wanted in [_plain(w) for w in (category.id, category.name, *category.marks)]:
            return category
    raise Wrong(f"没有类别“{text[:30]}”", near(text, [c.name for c in categories]))


def find_manual(text: str, points: Decimal | None, book: OfficeBook, day: date) -> Rule:
    """A rule for points a person sets, in force on the day, with the points in its range."""
    rules = [r for r in book.scoring.rules if r.kind == "manual"]
    rule = next((r for r in rules if _plain(text) in (_plain(r.id), _plain(r.name))), None)
    if rule is None:
        raise Wrong(f"没有人工记分的规则“{text[:30]}”", near(text, [r.name for r in rules]))
    version = in_force(rule.versions, day)
    if version is None:
        start = min(v.start for v in rule.versions)
        raise Wrong(
            f"{book.info.id}：规则“{rule.name}”（{rule.id}）{day} 还没有生效",
            f"{start} 起有效；核对日期",
        )
    if not isinstance(version.values, Manual):
        raise Wrong(f"规则“{rule.name}”{version.start} 起已废止", "核对规则和日期")
    least, most = version.values.least, version.values.most
    if points is not None and not least <= points <= most:
        span = f"{plain(least)} 到 {plain(most)}"
        raise Wrong(f"{plain(points)} 分超出“{rule.name}”的范围", f"写 {span} 之间的分数")
    return rule


def find_list(text: str, book: OfficeBook, day: date) -> ListRule:
    """A list of the notice that people put units on."""
    wanted = _plain(text)
    lists = [r for r in book.scoring.lists if r.kind is ListKind.MENTIONED]
    found = next((r for r in book.scoring.lists if wanted in (_plain(r.id), _plain(r.name))), None)
    if found is None:
        raise Wrong(f"没有名单“{text[:30]}”", near(text, [r.name for r in lists]))
    if found not in lists:
        raise Wrong(
            f"名单“{found.name}”由系统按规则提出，不能手工列入", near("", [r.name for r in lists])
        )
    version = in_force(found.versions, day)
    if version is None or version.repealed:
        raise Wrong(f"{book.info.id}：名单“{found.name}”（{found.id}）{day} 没有生效", "核对日期")
    return found


def find_task(text: str, book: OfficeBook) -> LedgerTask:
    tasks = book.scoring.tasks
    for task in tasks:
        if _plain(text) == _plain(task.id):
            return task
    raise Wrong(f"台账里没有任务“{text[:30]}”", near(text, [t.id for t in tasks]))


# --- items -------------------------------------------------------------------------------------


def item_by_receipt(text: str, book: OfficeBook, reads: Reads) -> ItemRow:
    receipt = unicodedata.normalize("NFKC", text).strip().upper().replace(" ", "")
    item = reads.item_by_receipt(receipt)
    if item is None:
        raise Wrong(f"没有回执编号 {receipt[:30]}", "查编号：mailbot items；或写单位和标题")
    if item.office != book.info.id:
        raise Wrong(
            f"{item.receipt} 是另一个单位（{item.office}）收到的", f"加 --office {item.office}"
        )
    return item


def item_by_title(title: str, unit: Unit, day: date, book: OfficeBook, reads: Reads) -> ItemRow:
    """The unit's item of this title that counts and came by `day`. Raises `Wrong` with the nearest
    titles, or with the candidates where there are several."""
    since = _midnight(day) - LOOK_BACK
    same = reads.items_with_title(book.info.id, unit.id, normal_title(title), since)
    known = [i for i in same if i.state in COUNTED]
    before = [i for i in known if day_of(i.received) <= day]
    if len(before) == 1:
        return before[0]
    if before:
        shown = "；".join(_candidate(i) for i in before[:6])
        raise Several(f"{unit.name}有 {len(before)} 条信息叫“{title[:40]}”", f"写回执编号：{shown}")
    if known:
        raise Wrong(
            f"{known[0].receipt}“{title[:40]}”{day_of(known[0].received)} 才收到",
            f"日期 {day} 比收到的日期还早；核对日期",
        )
    if same:
        state = _STATES.get(same[0].state, same[0].state.value)
        raise Wrong(
            f"{same[0].receipt}“{title[:40]}”{state}，不计数",
            "先放行（mailbot release），或核对标题",
        )
    raise Wrong(
        f"{unit.name}没有报过“{title[:40]}”", _nearest_titles(title, unit, day, book, reads)
    )


def _candidate(item: ItemRow) -> str:
    return f"{item.receipt}（{day_of(item.received)}）"


def _nearest_titles(title: str, unit: Unit, day: date, book: OfficeBook, reads: Reads) -> str:
    events = reads.unit_events(book.info.id, day - LOOK_BACK, day, unit.id)
    ranked = sorted(
        ((similarity(title, e.title), e) for e in events
         if e.kind is EventKind.SUBMISSION and e.item and e.title),
        key=lambda found: -found[0],
    )  # fmt: skip
    close = [f"{e.item}“{e.title[:40]}”" for ratio, e in ranked[:3] if ratio >= ALIKE]
    if close:
        return f"是不是 {' 或 '.join(close)}？"
    return "没有相近的标题；先登记这条报送，或写回执编号"


_STATES = {
    ItemState.RETURNED: "已退回",
    ItemState.HELD: "在待核",
    ItemState.REPLACED: "已并入另一条",
    ItemState.DUPLICATE: "是重复报送",
    ItemState.TAKEN_BACK: "已冲销",
}


def check_counts(item: ItemRow) -> None:
    """Raises `Wrong` for an item that does not count."""
    if item.state not in COUNTED:
        state = _STATES.get(item.state, item.state.value)
        raise Wrong(
            f"{item.receipt} {state}，不计数",
            f"先放行（mailbot release {item.receipt}），或核对编号",
        )


def _midnight(day: date) -> datetime:
    return datetime(day.year, day.month, day.day, tzinfo=OFFICE_ZONE)


# --- joint items, people -----------------------------------------------------------------------

_SHARE = re.compile(r"(.+?)[\s:：=]*([\d.]+\s*%?)")


def find_shares(
    texts: Sequence[str], units: Sequence[Unit], book: OfficeBook, day: date
) -> tuple[tuple[str, Decimal], ...]:
    """Unit and part, for every unit of the item, together exactly 1."""
    shares: dict[str, Decimal] = {}
    for text in texts:
        found = _SHARE.fullmatch(text)
        if found is None:
            raise Wrong(f"看不懂分配比例“{text[:30]}”", "写成 农牧局0.6、水利局0.4")
        unit = find_unit(found[1].strip(), book, day)
        if unit.id in shares:
            raise Wrong(f"{unit.name}的比例写了两次", "每个单位一次")
        shares[unit.id] = read_part(found[2])
    wanted = {u.id: u.name for u in units}
    if set(shares) != set(wanted):
        raise Wrong(
            "比例里的单位与参加的单位不一致", f"给这些单位各写一个：{'、'.join(wanted.values())}"
        )
    if sum(shares.values()) != 1 or min(shares.values()) < 0:
        total = plain(sum(shares.values(), Decimal(0)))
        raise Wrong(f"各单位比例合计是 {total}", "合计应当正好是 1")
    return tuple(shares.items())


def in_office(unit: Unit, role: str, day: date) -> tuple[str, ...]:
    """Names of the roster's contacts of a role on the day."""
    return tuple(
        c.name
        for c in unit.contacts
        if c.role == role and c.name and UnitName("", c.start, c.end).on(day)
    )


def _plain(text: str) -> str:
    """Without widths, blanks, book-title marks and case."""
    folded = unicodedata.normalize("NFKC", text).lower()
    return "".join(c for c in folded if not c.isspace() and c not in '《》〈〉“”"')
