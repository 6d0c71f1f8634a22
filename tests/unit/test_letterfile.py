"""`letters.toml`: letters as written, every slip told with its place; and the five offices' files
broken in every key."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, time
from functools import cache
from pathlib import Path

import pytest

from mailbot.adapters.offices import letterdocument, letterfile
from mailbot.adapters.offices.letterfile import read_letters
from mailbot.adapters.offices.letterwords import LetterWords
from mailbot.adapters.offices.opening import open_source
from mailbot.adapters.offices.openpoints import OpenKind, open_points, readings
from mailbot.adapters.offices.rulefiles import load_office
from mailbot.app.errors import Fault, OperatorFault
from mailbot.core.duties.model import (
    DutyKind,
    LetterBook,
    LetterRule,
    NewsMode,
    Part,
    Reader,
    Section,
    Stage,
)
from mailbot.core.rules.periods import PeriodKind
from mailbot.core.rules.rulebook import OfficeBook
from tests.unit.mutants import _without_comment
from tests.unit.rulefile_help import BASIS, SOUND, Broken, broken, changed, tell_all, write

OFFICES = Path(__file__).resolve().parents[2] / "config" / "offices"
NAMES = sorted(p.name for p in OFFICES.iterdir() if p.is_dir())
NINE = time(9)

HEAD = f"""[[letter]]
id = "reminder"
kind = "reminder"
name = "提醒"
from = 2021-01-01
{BASIS}"""
REMINDER = (
    HEAD
    + """quota = "items"
stages = [
  { id = "first", days = -5, at = 09:00:00, to = ["liaison"] },
  { id = "second", days = -2, at = 09:00:00, to = ["liaison", "head", "recommender"] },
]
thanks = true
"""
)
NOTICE = f"""
[[letter]]
id = "quarter"
kind = "notice"
name = "季度通报"
from = 2021-01-01
{BASIS}period = "quarter"
stages = [{{ id = "draft", days = 6, at = 09:00:00 }}]
to = ["head", "deputy"]
readers = true
seals = true
sms = "{{unit}}列{{table}}第{{place}}名"

[letter.document]
title = "{{office}}关于{{period}}的通报"
addressee = "各单位"
lead = ["现将{{year}}年情况通报如下。"]
openness = "主动公开"

[[letter.document.section]]
part = "standings"
heading = "排名"
columns = ["points", "daily", "journals"]

[[letter.document.section]]
part = "lists"
heading = "表扬"
lists = ["first"]
empty = "没有。"

[[letter.document.annex]]
part = "titles"
heading = "目录"

[[letter.own]]
list = "first"

[letter.own.document]
title = "告知书"
addressee = "{{unit}}"
lead = ["你单位{{why}}。"]
"""
PEOPLE = """
[people]
staff = ["a@example.com"]
approvers = ["b@example.com"]

[[people.reader]]
name = "某领导"
"""
LETTERS = REMINDER + NOTICE + PEOPLE


def read(folder: Path, letters: str = LETTERS, **files: str) -> OfficeBook:
    more = {f"{name}.toml": text for name, text in files.items()}
    return load_office(write(folder / "jia", {**SOUND, "letters.toml": letters, **more}))


# --- what is read -----------------------------------------------------------------------------


def test_a_reminder_is_read_whole(tmp_path: Path) -> None:
    letter = read(tmp_path).letters.letter("reminder")
    assert (letter.kind, letter.name, letter.start) == (
        DutyKind.REMINDER,
        "提醒",
        date(2021, 1, 1),
    )
    assert (letter.quota, letter.period, letter.thanks) == ("items", PeriodKind.MONTH, True)
    assert letter.stages == (
        Stage("first", -5, NINE, ("liaison",)),
        Stage("second", -2, NINE, ("liaison", "head", "recommender")),
    )
    assert letter.basis.document == "甲政办发〔2020〕1号"


def test_a_notice_is_read_whole(tmp_path: Path) -> None:
    book = read(tmp_path).letters
    letter = book.letter("quarter")
    document = letter.document
    assert document is not None
    assert (letter.period, letter.to, letter.stages) == (
        PeriodKind.QUARTER,
        ("head", "deputy"),
        (Stage("draft", 6, NINE),),
    )
    assert letter.readers and letter.seals and not letter.auto_approve and not letter.skip_empty
    assert letter.sms == "{unit}列{table}第{place}名"
    assert document.lead == ("现将{year}年情况通报如下。",)
    assert document.openness == "主动公开"
    assert document.sections == (
        Section(Part.STANDINGS, "排名", columns=("points", "daily", "journals")),
        Section(Part.LISTS, "表扬", lists=("first",), empty="没有。"),
    )
    assert document.annexes == (Section(Part.TITLES, "目录"),)
    (own,) = letter.own
    assert (own.list, own.to, own.document.addressee) == ("first", ("head",), "{unit}")
    assert book.readers == (Reader("某领导"),)
    assert (book.staff, book.approvers) == (("a@example.com",), ("b@example.com",))


def test_the_other_kinds_are_read(tmp_path: Path) -> None:
    others = "".join(
        HEAD.replace('"reminder"', f'"{kind}"') + keys
        for kind, keys in (
            ("tasks", 'stages = [{ id = "a", days = 0, at = 09:00:00, to = [] }]\n'),
            ("commissions", 'stages = [{ id = "a", days = 3, at = 09:00:00, to = "head" }]\n'),
            ("digest", 'stages = [{ id = "a", at = 08:30:00 }]\n'),
            ("news", 'news = "at_once"\nstages = [{ id = "a", at = 09:00:00, to = "liaison" }]\n'),
            ("result", 'quota = "items"\nstages = [{ id = "a", days = 1, at = 09:00:00, to = [] }]\n'),
        )
    )  # fmt: skip
    letters = {one.kind: one for one in read(tmp_path, others).letters.letters}
    assert letters[DutyKind.TASKS].stages == (Stage("a", 0, NINE),)
    assert letters[DutyKind.COMMISSIONS].stages[0].to == ("head",)
    assert letters[DutyKind.DIGEST].stages == (Stage("a", 0, time(8, 30)),)
    assert letters[DutyKind.NEWS].news is NewsMode.AT_ONCE
    assert letters[DutyKind.NEWS].stages == (Stage("a", 0, NINE, ("liaison",)),)
    assert letters[DutyKind.RESULT].period is PeriodKind.MONTH


def test_an_office_may_send_no_letter(tmp_path: Path) -> None:
    assert load_office(write(tmp_path / "jia", dict(SOUND))).letters == LetterBook()
    assert read(tmp_path, "# 一封也不发\n").letters == LetterBook()


def test_letters_are_no_part_of_the_rules_digest(tmp_path: Path) -> None:
    """The digest says by which rules a period was reckoned."""
    without = load_office(write(tmp_path / "jia", dict(SOUND))).digest
    assert read(tmp_path).digest == without
    assert read(tmp_path, LETTERS.replace("-5", "-6")).digest == without
    assert read(tmp_path, quota=SOUND["quota.toml"] + "\n").digest != without


def test_a_reminder_on_the_last_day_and_two_hours_of_one_day_are_allowed(tmp_path: Path) -> None:
    text = REMINDER.replace("days = -5", "days = 0").replace("days = -2", "days = 0")
    text = text.replace("09:00:00", "08:00:00", 1)
    stages = read(tmp_path, text).letters.letters[0].stages
    assert [(s.days, s.at) for s in stages] == [(0, time(8)), (0, NINE)]


def test_every_kind_and_part_says_what_it_looks_at() -> None:
    assert set(letterfile.KEYS) == set(DutyKind)
    assert set(letterdocument.KEYS) == set(Part)


# --- what is open -----------------------------------------------------------------------------


def test_whom_the_letters_cannot_reach_is_counted(tmp_path: Path) -> None:
    """Of two units one has a liaison's address, none a head's or a deputy's."""
    left = f'[[left]]\nabout = "提前几天"\n{BASIS}'
    book = read(tmp_path, LETTERS + left)
    found = {(o.kind, o.about) for o in open_points(book)}
    assert (OpenKind.LEFT, "提前几天") in found
    assert (OpenKind.READERS, "某领导") in found
    lacking = [about for kind, about in found if kind is OpenKind.ADDRESSES]
    assert len(lacking) == 3
    assert any("1 个单位的信息员" in about for about in lacking)
    assert any("2 个单位的主要负责人" in about for about in lacking)
    assert any("2 个单位的分管负责人" in about for about in lacking)
    assert [about for kind, about in found if kind is OpenKind.PHONES] == [
        "2 个单位的主要负责人没有电话（在册 2 个）"
    ]


def test_nobody_is_missed_who_is_not_written_to(tmp_path: Path) -> None:
    quiet = NOTICE.replace('to = ["head", "deputy"]', "to = []").replace("readers = true\n", "")
    quiet = quiet[: quiet.index("[[letter.own]]")].replace("sms =", "# sms =")
    kinds = {o.kind for o in open_points(read(tmp_path, quiet))}
    assert not kinds & {OpenKind.READERS, OpenKind.ADDRESSES, OpenKind.PHONES}


def test_a_letter_the_document_does_not_order_is_a_reading(tmp_path: Path) -> None:
    text = REMINDER.replace(
        'clause = "一（一）"', 'clause = "一", reading = true, alternative = "不提醒"'
    )
    where = [r.where for r in readings(read(tmp_path, text))]
    assert "信件“提醒” 2021-01-01" in where


# --- every slip is told -----------------------------------------------------------------------


def slip(name: str, old: str, new: str, *say: str) -> Broken:
    assert old in LETTERS, old
    text = LETTERS.replace(old, new, 1)
    return broken(name, ("letters.toml", "", text), say=[f"letters.toml|{s}" for s in say])


def alone(name: str, text: str, *say: str) -> Broken:
    return broken(name, ("letters.toml", "", text), say=[f"letters.toml|{s}" for s in say])


STAGE = '  { id = "second", days = -2, at = 09:00:00, to = ["liaison", "head", "recommender"] },\n'
BROKEN = [
    slip("an unknown table", "[[letter]]", "[[leter]]", "不认识的键 leter|是不是 letter"),
    slip("an unknown kind", 'kind = "reminder"', 'kind = "remainder"', "第 3 行|kind|是不是 reminder"),
    slip("a letter twice", 'id = "quarter"', 'id = "reminder"', "id|信件“reminder”写了两次"),
    slip("without basis", f"from = 2021-01-01\n{BASIS}quota", "from = 2021-01-01\nquota", "缺少 basis"),
    slip("without a first day", "from = 2021-01-01\n", "", "缺少 from"),
    slip("an unknown quota", 'quota = "items"', 'quota = "itms"', "quota|没有这项报送任务“itms”|是不是 items"),
    slip("a key of another kind", "thanks = true", "seals = true\nnews = \"off\"",
         "seals|reminder 一类的信件不看 seals|quota", "news|reminder 一类的信件不看 news"),
    slip("approval of what needs none", "thanks = true", "auto_approve = true", "reminder 一类的信件不看 auto_approve"),
    slip("an unknown key", "thanks = true", "thank = true", "不认识的键 thank|是不是 thanks"),
    slip("a stage twice", '"second"', '"first"', "第 8 行|id|“first”写了两次"),
    slip("stages backwards", "days = -2", "days = -7", "days|比前一次（first）早"),
    slip("stages at one moment", "days = -2", "days = -5", "days|同一时刻"),
    slip("a reminder after the month", "days = -2", "days = 1", "days|1 超出范围|-15 到 0"),
    slip("a reminder before the month", "days = -5", "days = -16", "days|-16 超出范围"),
    slip("days as text", "days = -5", 'days = "-5"', "days|文字 -5|整数"),
    slip("an hour in quotation marks", "at = 09:00:00", 'at = "09:00"', "at|文字 09:00|09:00:00"),
    alone("an hour as people write it", REMINDER.replace("at = 09:00:00", "at = 9:00", 1), "第 9 行|时间写法不对：9:00|09:00:00"),
    slip("no hour", "at = 09:00:00, ", "", "缺少 at"),
    slip("an unknown role", '["liaison"]', '["liason", "counterpart"]', "to|没有这个身份“liason”|是不是 liaison", "to|counterpart"),
    slip("a stage to nobody said", ', to = ["liaison"] }', " }", "to|缺少 to|to = []"),
    slip("an unknown key of a stage", 'to = ["liaison"]', 'too = ["liaison"]', "to|缺少 to", "不认识的键 too"),
    slip("no stages", STAGE, STAGE.replace("{", "{ hour = 3,"), "不认识的键 hour"),
    alone("stages that are none", HEAD + 'quota = "items"\nstages = []\n', "stages|列表是空的"),
    alone("a digest with days and roles", HEAD.replace('kind = "reminder"', 'kind = "digest"')
          + 'stages = [{ id = "a", days = 0, at = 09:00:00, to = ["head"] }]\n', "days|不数工作日", "to|简报只发给本室"),
    alone("news in an unknown way", HEAD.replace('kind = "reminder"', 'kind = "news"')
          + 'news = "daily"\nstages = [{ id = "a", at = 09:00:00 }]\n', "news|不认识“daily”"),
    slip("a notice drafted before the end", "days = 6", "days = 0", "days|0 超出范围|1 到 60"),
    slip("a notice drafted twice", "stages = [{ id = \"draft\", days = 6, at = 09:00:00 }]",
         'stages = [{ id = "draft", days = 6, at = 09:00:00 }, { id = "again", days = 9, at = 09:00:00 }]', "stages|写了 2 次"),
    slip("recipients in a notice's stage", "days = 6, at = 09:00:00", 'days = 6, at = 09:00:00, to = ["head"]', "to|收件人写在 [[letter]] 的 to"),
    slip("a recommender for a notice", '["head", "deputy"]', '["recommender"]', "to|没有这个身份“recommender”"),
    slip("a notice of no period", 'period = "quarter"\n', "", "缺少 period"),
    slip("a period that is not settled", 'period = "quarter"', 'period = "month"',
         "seals|每季度|每月", "lists|名单“first”不列在每月的通报里|month", "list|名单“first”不列在每月的通报里"),
    slip("a notice without document", NOTICE[NOTICE.index("[letter.document]"):NOTICE.index("[[letter.own]]")], "", "缺少 document|[document]"),
    slip("sealing only sometimes", "seals = true", "seals = true\nskip_empty = true", "skip_empty|不会封账"),
    alone("two that seal", NOTICE + NOTICE.replace('"quarter"\nkind', '"again"\nkind') + PEOPLE, "seals|已有一种通报封账"),
    alone("empty of what", NOTICE.replace("seals = true", "skip_empty = true").replace('part = "lists"', 'part = "overview"')
          .replace('lists = ["first"]\nempty = "没有。"\n', "") + PEOPLE, "skip_empty|没有名单"),
    alone("readers that are not there", NOTICE, "readers|没有写单位以外的收件人"),
    alone("readers of nothing", REMINDER + PEOPLE, "[people] reader|readers = true"),
    slip("unknown braces", "关于{period}", "关于{perod}", "title|{perod} 不认识|{period}"),
    slip("braces of another kind of text", "现将{year}", "{unit}现将{year}", "lead 第 1 项|{unit} 不认识"),
    slip("a brace alone", "现将{year}年", "现将{year年", "lead 第 1 项|花括号不成对"),
    slip("unknown braces in a text message", "{place}", "{rank}", "sms|{rank} 不认识|{place}"),
    slip("an unknown openness", '"主动公开"', '"公开"', "openness|不认识“公开”|主动公开"),
    slip("an addressee with its colon", '"各单位"', '"各单位："', "addressee|末尾有标点"),
    slip("an unknown part", 'part = "standings"', 'part = "standing"', "part|是不是 standings"),
    slip("a key of another part", 'heading = "排名"', 'lists = ["first"]', "standings 一类的段落不看 lists|columns"),
    slip("an unknown column", '"daily", ', '"dayly", ', "columns|没有这个列“dayly”|是不是 daily"),
    slip("an unknown list", 'lists = ["first"]', 'lists = ["frist"]', "lists|没有这个名单“frist”|是不是 first"),
    slip("no list", 'lists = ["first"]\n', "", "缺少 lists"),
    slip("an annex without a heading", 'part = "titles"\nheading = "目录"', 'part = "titles"', "heading|缺少 heading"),
    slip("an own letter of no list", 'list = "first"', 'list = "frist"', "list|没有这个名单“frist”"),
    slip("an own letter to nobody", 'list = "first"', 'list = "first"\nto = []', "to|列表是空的"),
    slip("an own letter without words", '[letter.own.document]\ntitle = "告知书"\n', "[letter.own.document]\n", "缺少 title"),
    slip("addresses that are none", 'staff = ["a@example.com"]\napprovers = ["b@example.com"]', 'staff = ["a.example.com"]\napprovers = ["乙@example.com"]',
         "第 57 行|staff 第 1 项|a.example.com", "approvers 第 1 项|乙@example.com"),
    slip("a reader without a name", 'name = "某领导"', 'address = "x"', "缺少 name", "address|“x”"),
]  # fmt: skip


@pytest.mark.parametrize("case", BROKEN, ids=lambda c: c.name)
def test_every_slip_is_told(case: Broken, tmp_path: Path) -> None:
    tell_all(tmp_path, case, load_office)


def test_what_cannot_be_read_elsewhere_is_no_second_fault_here(tmp_path: Path) -> None:
    for name in ("quota.toml", "notices.toml", "scoring.toml"):
        files = {**changed(name, "", "\n= broken\n"), "letters.toml": LETTERS}
        with pytest.raises(OperatorFault) as caught:
            load_office(write(tmp_path / name, files))
        assert not [f for f in caught.value.faults if "letters.toml" in f.where], name


# --- the five offices -------------------------------------------------------------------------


@cache
def shipped(name: str) -> OfficeBook:
    return load_office(OFFICES / name)


def words_of(book: OfficeBook) -> LetterWords:
    return LetterWords(
        quotas={q.id: q.period for q in book.quotas},
        lists={one.id: one.periods for one in book.scoring.lists},
        columns=[c.id for r in book.scoring.rankings for c in r.columns],
        settles=book.scoring.settles,
    )


def faults(text: str, words: LetterWords) -> list[Fault]:
    try:
        source = open_source(text.encode(), "letters.toml")
    except OperatorFault as error:
        return list(error.faults)
    read_letters(source, words)
    return source.faults


@dataclass(frozen=True)
class Wrong:
    line: int
    key: str
    """That must be named."""
    text: str


_KEY = re.compile(r"([A-Za-z_]+)(\s*=\s*)(?=[\"\[\d{tf-])")
_VALUES = {'"': "7", "[": "7", "{": "7", "t": '"x"', "f": '"x"', "-": '"x"'}


def wrong_keys(text: str) -> Iterator[Wrong]:
    """Every key of every line and inline table, with a letter too many."""
    for number, start, end, key, _ in _keys(text):
        lines = text.split("\n")
        line = lines[number]
        lines[number] = f"{line[:start]}{key}x{line[end:]}"
        yield Wrong(number + 1, f"{key}x", "\n".join(lines))


def wrong_types(text: str) -> Iterator[Wrong]:
    """Every value on one line of another type: a number for a text, a text for anything else."""
    for number, _, end, key, _ in _keys(text):
        lines = text.split("\n")
        line = lines[number]
        at = end + re.match(r"\s*=\s*", line[end:]).end()  # type: ignore[union-attr]
        found = re.match(r'"(?:[^"\\]|\\.)*"|[-\w:]+', line[at:])
        if found is None:
            continue  # a list or table, whose items are tried by themselves
        new = _VALUES.get(line[at], '"x"')
        lines[number] = f"{line[:at]}{new}{line[at + found.end() :]}"
        yield Wrong(number + 1, key, "\n".join(lines))


def _keys(text: str) -> Iterator[tuple[int, int, int, str, str]]:
    for number, line in enumerate(text.split("\n")):
        code = _without_comment(line)
        quoted = [(m.start(), m.end()) for m in re.finditer(r'"(?:[^"\\]|\\.)*"', code)]
        for found in _KEY.finditer(code):
            if not any(a <= found.start() < b for a, b in quoted):
                yield number, found.start(1), found.end(1), found[1], code


@pytest.mark.parametrize("name", NAMES)
def test_every_key_of_the_offices_letters_is_looked_at(name: str) -> None:
    """Whatever is misspelt, or of another type, is told with its key; the right line is shown for
    what stands in a line of its own."""
    text = (OFFICES / name / "letters.toml").read_text("utf-8")
    words = words_of(shipped(name))
    assert faults(text, words) == []
    tried = 0
    for wrong in (*wrong_keys(text), *wrong_types(text)):
        told = [f for f in faults(wrong.text, words) if wrong.key in f"{f.where} {f.found}"]
        assert told, f"{name}: line {wrong.line}: nobody minds {wrong.key}"
        assert all(f.where.startswith("letters.toml 第") and f.remedy for f in told)
        tried += 1
    assert tried > 200


@pytest.mark.parametrize("name", NAMES)
def test_every_word_of_the_offices_letters_is_known(name: str) -> None:
    """Braces, lists, roles, quotas: one wrong letter in any of them is told."""
    text = (OFFICES / name / "letters.toml").read_text("utf-8")
    words = words_of(shipped(name))
    known = (*(words.lists or ()), *(words.quotas or ()), "liaison", "head", "deputy")
    pattern = re.compile(rf'\{{[a-z]+\}}|"(?:{"|".join(map(re.escape, known))})"')
    code = [(n, _without_comment(line)) for n, line in enumerate(text.split("\n"))]
    for number, line in code:
        for found in pattern.finditer(line):
            if re.search(r"\b(id|kind|period)\s*=\s*$", line[: found.start()]):
                continue  # names the letter or stage itself
            lines = text.split("\n")
            broken_word = f"{found[0][:-1]}zz{found[0][-1]}"
            lines[number] = line[: found.start()] + broken_word + line[found.end() :]
            told = faults("\n".join(lines), words)
            assert any(found[0][1:-1] + "zz" in f.found for f in told), (number + 1, found[0])


def notices(book: OfficeBook) -> list[LetterRule]:
    return [one for one in book.letters.letters if one.kind is DutyKind.NOTICE]


@pytest.mark.parametrize("name", NAMES)
def test_every_list_of_an_office_stands_in_a_notice(name: str) -> None:
    book = shipped(name)
    shown = {
        list_id
        for one in notices(book)
        if one.document
        for section in (*one.document.sections, *one.document.annexes)
        for list_id in section.lists
    }
    assert {one.id for one in book.scoring.lists} == shown


@pytest.mark.parametrize("name", NAMES)
def test_each_office_seals_its_period_with_one_notice_and_approves_by_hand(name: str) -> None:
    book = shipped(name)
    (sealing,) = [one for one in notices(book) if one.seals]
    assert sealing.period is book.scoring.settles
    assert not any(one.auto_approve or one.thanks for one in book.letters.letters)
    assert all(one.news is NewsMode.OFF for one in book.letters.letters)
    assert sum(one.kind is DutyKind.DIGEST for one in book.letters.letters) == 1
    assert not book.letters.staff and not book.letters.approvers, "no real address is shipped"
    assert not any(reader.address for reader in book.letters.readers)


@pytest.mark.parametrize("name", NAMES)
def test_every_quota_that_somebody_owes_is_reminded_of(name: str) -> None:
    """By its own letter, or by one of a quota of the same length."""
    book = shipped(name)
    reminded = {one.period for one in book.letters.letters if one.kind is DutyKind.REMINDER}
    owed = {q.period for q in book.quotas if any(n for _, n in q.versions[-1].need)}
    assert owed == reminded


@pytest.mark.parametrize("name", NAMES)
def test_results_and_drafts_wait_for_corrections(name: str) -> None:
    """What is corrected within the limit still counts for the period; lists of overdue tasks wait
    for nothing."""
    book = shipped(name)
    for one in book.letters.letters:
        parts = {s.part for s in one.document.sections} if one.document else set()
        if one.kind is DutyKind.RESULT or Part.STANDINGS in parts:
            assert one.stages[0].days > book.limits.correction_days, one.id


def test_shandong_invents_no_title_and_number_of_its_rule() -> None:
    for one in notices(shipped("shandong")):
        assert one.document is not None
        for text in (*one.document.lead, *one.document.closing, one.document.title):
            assert "号" not in text and "《" not in text
