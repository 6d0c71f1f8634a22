"""What each kind of event has of its own: journal, level, fault, people, rule, list, task."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date

from mailbot.app.ports import Reads
from mailbot.app.recording import words
from mailbot.app.recording.columns import BY_KEY
from mailbot.app.recording.entry import Checked, look
from mailbot.app.recording.values import Wrong
from mailbot.app.records import RecordRow
from mailbot.core.intake.titles import normal_title
from mailbot.core.rules.assignments import number_key, open_assignments
from mailbot.core.rules.events import Event, EventKind, Fault, Form, Outcome, Signer, UnitStatus
from mailbot.core.rules.people import CALLED
from mailbot.core.rules.rulebook import OfficeBook
from mailbot.core.subject.roster import Unit
from mailbot.core.subject.units import unit_name

PEOPLE = ("deputy", "liaison")
"""Roles of those who answer for an error."""
_NOBODY = ("无", "没有", "空缺")


def _submission(found: Checked, book: OfficeBook, reads: Reads) -> None:
    answers = found.answers
    if answers.text("category"):
        category = look(
            found,
            "category",
            lambda: words.find_category(answers.text("category"), book, answers.day),
        )
        found.facts["category"] = category.id if category else ""
    found.facts["title"] = answers.text("title")
    for name in ("commissioned", "follow_up", "urgent_major"):
        found.facts[name] = answers.flag(name)


def _printed(found: Checked, book: OfficeBook, reads: Reads) -> None:
    answers = found.answers
    if text := answers.text("journal"):
        term = look(found, "journal", lambda: words.find_term(text, book.scoring.journals, "刊物"))
        found.facts["journal"] = term.id if term else ""
    _levelled(found, book, reads)


def _levelled(found: Checked, book: OfficeBook, reads: Reads) -> None:
    answers = found.answers
    _level(found, book, answers.kind)
    if form := answers.text("form"):
        found.facts["form"] = Form(form)
    _flags(found, "urgent_major")


def _level(found: Checked, book: OfficeBook, kind: EventKind) -> None:
    if text := found.answers.text("level"):
        term = look(found, "level", lambda: words.find_level(text, book, kind))
        found.facts["level"] = term.id if term else ""


def _flags(found: Checked, *names: str) -> None:
    """What was said, also a no: only what was left open comes from the item."""
    for name in names:
        if name in found.answers.values:
            found.facts[name] = found.answers.flag(name)


def _commission(found: Checked, book: OfficeBook, reads: Reads) -> None:
    _levelled(found, book, reads)
    if outcome := found.answers.text("outcome"):
        found.facts["outcome"] = Outcome(outcome)
    if found.unit is not None and not found.dateless:
        _finishes(found, found.unit, book, reads)


def _finishes(found: Checked, unit: Unit, book: OfficeBook, reads: Reads) -> None:
    """Which commission given to the unit this one is: by its number, else by its title."""
    number, day = found.answers.text("number"), found.answers.day
    events = _about_commissions(unit, day, book, reads)
    waiting = [task.given for task in open_assignments(events).get(unit.id, ())]
    if number:
        known = {number_key(e.item): e.item for e in events if e.kind is EventKind.ASSIGNMENT}
        found.facts["about"] = known.get(number_key(number), number)
        if number_key(number) not in known:
            numbers = "、".join(g.item for g in waiting if g.item)
            found.fault(
                "number",
                f"{day} 以前没有给{unit.name}布置过编号为“{number[:30]}”的约稿",
                f"还没有办结的是：{numbers}" if numbers else "先登记“约稿布置”，或清空约稿编号",
            )
        return
    title = found.item.version.title if found.item else str(found.facts.get("title", ""))
    if waiting and normal_title(title) not in {normal_title(g.title) for g in waiting}:
        listed = "、".join(
            f"“{g.title[:20]}”{f'（{g.item}）' if g.item else ''}" for g in waiting[:3]
        )
        found.warnings.append(
            f"{unit.name}还有没办结的约稿：{listed}；办结的就是它的，请写约稿编号，不然会继续催办"
        )


def _about_commissions(unit: Unit, day: date, book: OfficeBook, reads: Reads) -> list[Event]:
    """Commissions given to the unit up to the day, and those finished since the first of them."""
    rows = reads.records(book.info.id, unit_id=unit.id, kind=EventKind.ASSIGNMENT, last=day)
    if not rows:
        return []
    return reads.unit_events(book.info.id, min(r.new.day for r in rows), day, unit.id)


def _assignment(found: Checked, book: OfficeBook, reads: Reads) -> None:
    answers = found.answers
    _level(found, book, EventKind.COMMISSION)
    found.facts["title"] = answers.text("title")
    if number := answers.text("number"):
        found.facts["item"] = number
    else:
        found.warnings.append("没有写约稿编号：办结时只能按单位和标题对应，标题要写得一样")
    if due := answers.values.get("due"):
        found.facts["due"] = due
        _due_after(found, due)


def _plain(found: Checked, book: OfficeBook, reads: Reads) -> None:
    if found.item is None and found.answers.text("title"):
        found.facts["title"] = found.answers.text("title")


def _error(found: Checked, book: OfficeBook, reads: Reads) -> None:
    answers = found.answers
    if fault := answers.text("fault"):
        found.facts["fault"] = Fault(fault)
    _flags(found, "major", "serious", "bad_effect", "forecast")
    people: list[str] = []
    for role in PEOPLE:
        names = answers.names(role)
        if not names and found.unit is not None:
            names = words.in_office(found.unit, role, answers.day)
            if not names:
                found.warnings.append(
                    f"名册里没有{found.unit.name} {answers.day} 在任的{BY_KEY[role].header}，没有记人"
                )
        people += [f"{CALLED[role]} {n}" for n in names if n not in _NOBODY]
    found.facts["people"] = tuple(people)


def _explanation(found: Checked, book: OfficeBook, reads: Reads) -> None:
    answers = found.answers
    found.facts["accepted"] = answers.flag("accepted")
    if signer := answers.text("signer"):
        found.facts["signer"] = Signer(signer)
    text = answers.text("about")
    row = look(found, "about", lambda: _explained(text, book, reads)) if text else None
    if row is None:
        return
    found.facts["about"] = f"record:{row.id}"
    owner = row.new.unit_id
    if found.unit is not None and found.unit.id != owner:
        name = unit_name(owner, book.roster)
        found.fault(
            "about", f"第 {row.id} 号记录是{name}的，不是{found.unit.name}的", "核对记录编号"
        )
    if found.unit is None and not answers.text("unit"):
        found.unit = next((u for u in book.roster.units if u.id == owner), None)
        if found.unit is None:
            found.fault("about", f"第 {row.id} 号记录的单位（{owner}）已不在名册", "先补回名册")
    if not found.dateless and answers.day < row.new.day:
        found.fault("day", f"日期 {answers.day} 早于第 {row.id} 号记录的 {row.new.day}", "核对日期")


def record_number(text: str) -> int:
    """The number in 15, #15, record:15, 第15号. Raises `Wrong`."""
    digits = "".join(c for c in text if c.isdecimal())
    rest = text.lower()
    for word in ("record:", "record", "no.", "第", "号", "#", "记录", digits):
        rest = rest.replace(word, "")
    if not digits or rest.strip() or len(digits) > 12:
        raise Wrong(f"“{text[:30]}”不是记录编号", "只写编号，例如 15（mailbot record --list 可查）")
    return int(digits)


def _explained(text: str, book: OfficeBook, reads: Reads) -> RecordRow:
    number = record_number(text)
    row = reads.record(number)
    if row is None or row.new.office != book.info.id:
        raise Wrong(f"没有第 {number} 号记录", "查编号：mailbot record --list")
    if row.new.reverses is not None or row.reversed_by is not None:
        raise Wrong(f"第 {number} 号记录已冲销", "核对记录编号")
    if row.new.kind is EventKind.EXPLANATION:
        raise Wrong(f"第 {number} 号记录本身是情况说明", "写差错或约稿的记录编号")
    return row


def _manual(found: Checked, book: OfficeBook, reads: Reads) -> None:
    answers = found.answers
    points = answers.values.get("points")
    text = answers.text("rule")
    rule = (
        look(found, "points" if points is not None else "rule",
              lambda: words.find_manual(text, points, book, answers.day))
        if text else None
    )  # fmt: skip
    found.facts |= {"rule": rule.id if rule else "", "points": points}


def _mention(found: Checked, book: OfficeBook, reads: Reads) -> None:
    text, day = found.answers.text("list"), found.answers.day
    listed = look(found, "list", lambda: words.find_list(text, book, day)) if text else None
    found.facts["rule"] = listed.id if listed else ""


def _status(found: Checked, book: OfficeBook, reads: Reads) -> None:
    if status := found.answers.text("status"):
        found.facts["status"] = UnitStatus(status)


def _task(found: Checked, book: OfficeBook, reads: Reads) -> None:
    answers = found.answers
    text = answers.text("task")
    task = look(found, "task", lambda: words.find_task(text, book)) if text else None
    if task is None:
        return
    found.facts["item"] = task.id
    if answers.kind is EventKind.TASK:
        found.facts["due"] = answers.values.get("due") or task.due
        if found.facts["due"]:
            _due_after(found, found.facts["due"])
    elif found.unit is not None and not _given_task(found.unit, task.id, answers.day, book, reads):
        found.fault(
            "task",
            f"{answers.day} 以前没有把任务 {task.id} 交给{found.unit.name}",
            "先登记“任务”，再登记“任务完成”",
        )


def _due_after(found: Checked, due: date) -> None:
    if due < found.answers.day:
        found.warnings.append(f"期限 {due} 早于交办日期 {found.answers.day}")


def _given_task(unit: Unit, task: str, day: date, book: OfficeBook, reads: Reads) -> bool:
    rows = reads.records(book.info.id, unit_id=unit.id, kind=EventKind.TASK, last=day)
    return any(
        r.new.facts.get("item") == task and r.reversed_by is None and r.new.reverses is None
        for r in rows
    )


DETAILS: dict[EventKind, Callable[[Checked, OfficeBook, Reads], None]] = {
    EventKind.SUBMISSION: _submission,
    EventKind.ADOPTION: _printed,
    EventKind.INSTRUCTION: _levelled,
    EventKind.FORWARDING: _levelled,
    EventKind.COMMISSION: _commission,
    EventKind.STAFF: _plain,
    EventKind.TRAINING: _plain,
    EventKind.JOINT_RESEARCH: _plain,
    EventKind.FILING: _plain,
    EventKind.ERROR: _error,
    EventKind.EXPLANATION: _explanation,
    EventKind.MANUAL: _manual,
    EventKind.MENTION: _mention,
    EventKind.STATUS: _status,
    EventKind.TASK: _task,
    EventKind.TASK_DONE: _task,
    EventKind.ASSIGNMENT: _assignment,
}
