"""From answers to an entry that may be kept: names looked up, sense checked, points tried.

Reads, never writes. Everything that is wrong with an entry is found in one go; what is only odd is
a warning.
"""

from __future__ import annotations

from datetime import date, datetime, time
from functools import partial

from mailbot.app.ports import Reads
from mailbot.app.recording import words, worth
from mailbot.app.recording.columns import BY_KEY
from mailbot.app.recording.details import DETAILS
from mailbot.app.recording.entry import Checked, look, no_rule
from mailbot.app.recording.forms import Answers
from mailbot.app.recording.tell import URGENT
from mailbot.app.recording.values import Wrong
from mailbot.app.records import ItemRow
from mailbot.core.rules.basis import NoRuleInForce
from mailbot.core.rules.events import NAMES, EventKind
from mailbot.core.rules.periods import OFFICE_ZONE, day_of
from mailbot.core.rules.rulebook import OfficeBook
from mailbot.core.subject.roster import Unit
from mailbot.core.subject.units import unit_name


def check(answers: Answers, book: OfficeBook, reads: Reads, today: date) -> Checked:
    """Looks everything up. The caller goes on only when there are no faults."""
    found = Checked(answers)
    _check_day(found, book, today)
    _find_unit(found, book)
    _find_item(found, book, reads)
    DETAILS[answers.kind](found, book, reads)
    if "times" in answers.values:
        found.facts["times"] = answers.values["times"]
    _joint(found, book)
    _said(found, book)
    if not worth.speaks_of(book, answers.kind, answers.day):
        name = NAMES[answers.kind.value]
        found.warnings.append(
            f"{book.info.id} 的规则、名单、任务和表格都没有用到“{name}”，照样登记"
        )
    return found


def _check_day(found: Checked, book: OfficeBook, today: date) -> None:
    """With a day that cannot be meant the rest is looked up as of today, so that all that is wrong
    is told in one go."""
    answers = found.answers
    if "day" in answers.values:
        try:
            if answers.day <= today:
                return worth.check_start(book, answers.kind, answers.day)
            found.fault("day", f"日期 {answers.day} 在今天（{today}）之后", "核对年份和月份")
        except NoRuleInForce as missing:
            found.fault("day", *no_rule(missing, book))
    answers.values["day"] = datetime.combine(today, time(), OFFICE_ZONE)
    found.dateless = True
    return None


# --- unit and item -----------------------------------------------------------------------------


def _find_unit(found: Checked, book: OfficeBook) -> None:
    answers = found.answers
    if text := answers.text("unit"):
        found.unit = look(
            found,
            "unit",
            lambda: words.find_unit(text, book, answers.day, present=not found.dateless),
        )


def _find_item(found: Checked, book: OfficeBook, reads: Reads) -> None:
    answers = found.answers
    if answers.text("receipt"):
        found.item = look(
            found, "receipt", lambda: words.item_by_receipt(answers.text("receipt"), book, reads)
        )
        if found.item is not None:
            _fits(found, found.item, book)
    elif not answers.needs.item or found.dateless:
        return  # by its title an item is looked for around the day
    elif answers.text("title") and found.unit is not None:
        _by_title(found, found.unit, book, reads)


def _by_title(found: Checked, unit: Unit, book: OfficeBook, reads: Reads) -> None:
    answers = found.answers
    title = answers.text("title")
    try:
        found.item = words.item_by_title(title, unit, answers.day, book, reads)
    except Wrong as wrong:
        if answers.needs.item == "must" or isinstance(wrong, words.Several):
            found.fault("title", wrong.found, wrong.remedy)
        else:  # what was never sent in has no item: an omitted report, a missed commission
            found.facts["title"] = title
            found.warnings.append(f"{wrong.found}，只记标题；{wrong.remedy}")


def _fits(found: Checked, item: ItemRow, book: OfficeBook) -> None:
    answers = found.answers
    if answers.needs.item == "must":
        look(found, "receipt", lambda: words.check_counts(item))
    if item.unit_id is not None and found.unit is not None and found.unit.id != item.unit_id:
        owner = unit_name(item.unit_id, book.roster)
        found.fault(
            "unit", f"{item.receipt} 是{owner}报送的，不是{found.unit.name}", "核对单位和回执编号"
        )
    elif found.unit is None and item.unit_id is not None and not answers.text("unit"):
        owner_name = unit_name(item.unit_id, book.roster)
        found.unit = look(
            found,
            "receipt",
            lambda: words.find_unit(owner_name, book, answers.day, present=not found.dateless),
        )
        _not_needed(answers)
    elif item.unit_id is None and not answers.text("unit"):
        found.fault(
            "unit", f"{item.receipt} 还没有认定单位", "先认定单位（mailbot release），或写上单位"
        )
    if not found.dateless and answers.day < day_of(item.received):
        found.fault(
            "day",
            f"日期 {answers.day} 早于 {item.receipt} 收到的日期 {day_of(item.received)}",
            "核对日期和回执编号",
        )


def _not_needed(answers: Answers) -> None:
    """A unit that the item names need not be given again."""
    place, name = answers.given.place("unit"), BY_KEY["unit"].header
    answers.faults[:] = [
        f for f in answers.faults if not (f.where == place and f.found.endswith(f"没有写{name}"))
    ]


# --- for several kinds -----------------------------------------------------------------------------


def _joint(found: Checked, book: OfficeBook) -> None:
    answers = found.answers
    partners: list[Unit] = []
    for text in answers.names("partners"):
        unit = look(found, "partners", partial(words.find_unit, text, book, answers.day))
        if unit is not None and found.unit is not None and unit.id == found.unit.id:
            found.fault("partners", f"{unit.name}就是报送单位", "联合单位只写其他单位")
        elif unit is not None:
            partners.append(unit)
    if partners:
        found.facts["partners"] = tuple(dict.fromkeys(u.id for u in partners))
    if texts := answers.names("shares"):
        units = [u for u in (found.unit, *partners) if u is not None]
        found.facts["shares"] = look(
            found, "shares", lambda: words.find_shares(texts, units, book, answers.day)
        )


def _said(found: Checked, book: OfficeBook) -> None:
    """What a rule tells apart must be said: a silent default would decide over points."""
    answers = found.answers
    unsaid = answers.needs.known - set(answers.values)
    if answers.kind is EventKind.SUBMISSION or (found.item and found.item.lane == URGENT):
        unsaid -= {"urgent_major"}  # the item says it
    asked = worth.distinguished(book, found.event(""), unsaid)
    for key in sorted(asked):
        column = BY_KEY[key]
        choices = "、".join(column.words.values()) or "是、否"
        if key == "level":
            choices = "、".join(t.name for t in book.scoring.levels)
        if any(f.where == answers.given.place(key) for f in found.faults):
            continue
        name = NAMES[answers.kind.value]
        found.fault(
            key, f"“{name}”没有写{column.header}，规则按它区别对待", f"写其中一个：{choices}"
        )
