"""Letters as the liaison sees them, and templates as the office breaks them."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import datetime
from html.parser import HTMLParser
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mailbot.adapters.letters.render import RETURN_BYTES, MailTemplates
from mailbot.adapters.letters.samples import SAMPLES
from mailbot.adapters.system import shipped
from mailbot.app.errors import OperatorFault
from mailbot.core.intake.describe import (
    CERTAINTY_LABELS,
    FIELD_LABELS,
    PROBLEM_LABELS,
    SOURCE_LABELS,
    human_size,
    mailto,
)
from mailbot.core.intake.problems import Problem, ProblemCode
from mailbot.core.letters.answers import (
    Acknowledgement,
    AttachmentLine,
    LimitNotice,
    PendingNotice,
    Rendered,
    ReturnNotice,
    UnderstoodField,
)
from mailbot.core.letters.every import Letter
from mailbot.core.subject.model import Certainty, FieldName, Source

TEMPLATES = MailTemplates(shipped("templates"))
ACKNOWLEDGEMENT = next(s for s in SAMPLES if isinstance(s, Acknowledgement))
RETURN = next(s for s in SAMPLES if isinstance(s, ReturnNotice))
PENDING = next(s for s in SAMPLES if isinstance(s, PendingNotice))
LIMIT = next(s for s in SAMPLES if isinstance(s, LimitNotice))


def render(letter: Letter) -> Rendered:
    return TEMPLATES.render("otog", letter)


class _Reader(HTMLParser):
    """Text, links and everything that would be fetched or run, of a page; unclosed tags raise."""

    VOID = frozenset({"meta", "br", "img", "link", "input", "hr"})

    def __init__(self) -> None:
        super().__init__()
        self.words: list[str] = []
        self.alts: list[str] = []
        self.links: list[str] = []
        self.active: list[str] = []
        self.open: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag not in self.VOID:
            self.open.append(tag)
        if tag == "img":
            image = {name: value or "" for name, value in attrs}
            assert image.pop("src").startswith("cid:"), "an image comes with the letter"
            self.alts.append(image["alt"])
            return
        if tag in ("script", "link", "iframe", "object", "style", "form", "base", "svg"):
            self.active.append(tag)
        for name, value in attrs:
            if name == "href":
                self.links.append(value or "")
            elif name.startswith("on") or name in ("src", "background"):
                self.active.append(name)
            elif name == "style" and "url(" in (value or ""):
                self.active.append(value or "")

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.words.append(data)


def page(html: str) -> _Reader:
    reader = _Reader()
    reader.feed(html)
    reader.close()
    assert reader.open == []
    return reader


def squeezed(text: str) -> str:
    return re.sub(r"\s+", "", text)


def test_the_shipped_templates_have_no_fault() -> None:
    assert TEMPLATES.check("otog") == []


@pytest.mark.parametrize("number", range(len(SAMPLES)))
def test_every_letter_reads_well(number: int) -> None:
    rendered = render(SAMPLES[number])
    assert "\n\n\n" not in rendered.text
    assert not re.search(r"[ \t]\n|None|Undefined|\{\{|\{%|[a-z]+_[a-z]+", rendered.text)
    assert "\n" not in rendered.subject and 0 < len(rendered.subject) <= 100
    shown = page(rendered.html)
    assert shown.active == []
    assert all(link.startswith("mailto:") for link in shown.links)
    assert "某某旗人民政府办公室信息室" in rendered.text and "0470-7622029" in rendered.text


@pytest.mark.parametrize("kind", ["text", "html"])
def test_an_acknowledgement_says_what_was_booked(kind: str) -> None:
    shown = squeezed(_words(render(ACKNOWLEDGEMENT), kind))
    for expected in (
        "SL202608-0012",
        "春耕备耕工作进展顺利.docx",
        "38KB",
        "农牧局",
        "张三",
        "7622029",
        "动态",
        "已报5条，基础条数8条，还差3条",
        "直接回复本邮件",
    ):
        assert expected in shown


@pytest.mark.parametrize(
    ("count", "quota", "expected", "absent"),
    [
        (8, 8, "基础条数8条，已完成。", "还差"),
        (10, 8, "已完成（超2条）", "还差"),
        (0, 4, "还差4条", "完成"),
        (3, None, "已报3条。", "基础"),
        (3, 0, "已报3条。", "基础"),
    ],
)
def test_the_month_against_the_quota(
    count: int, quota: int | None, expected: str, absent: str
) -> None:
    rendered = render(replace(ACKNOWLEDGEMENT, month_count=count, month_quota=quota))
    for shown in (squeezed(rendered.text), squeezed(_words(rendered, "html"))):
        assert expected in shown and absent not in shown


@pytest.mark.parametrize("kind", ["text", "html"])
def test_doubt_duplicates_corrections_and_taken_over_files_are_said(kind: str) -> None:
    item = ACKNOWLEDGEMENT.items[0]
    doubtful = replace(ACKNOWLEDGEMENT, items=(replace(item, category_doubtful=True),))
    assert "暂按“动态”登记，待信息室核定" in squeezed(_words(render(doubtful), kind))
    twice = render(replace(ACKNOWLEDGEMENT, duplicate_of=("SL202608-0003",)))
    assert "此前已经登记（SL202608-0003）" in squeezed(_words(twice, kind))
    assert "不重复计数" in _words(twice, kind)
    assert "此前已登记" in twice.subject
    newer = render(replace(ACKNOWLEDGEMENT, corrects=("SL202608-0003",)))
    assert "SL202608-0003已按本次来信更新" in squeezed(_words(newer, kind))
    files = (AttachmentLine("甲.docx", 1_258_291, from_earlier=True),)
    kept = squeezed(_words(render(replace(ACKNOWLEDGEMENT, attachments=files)), kind))
    assert "1.2MB，沿用首次来信附件" in kept


@pytest.mark.parametrize("kind", ["text", "html"])
def test_several_items_each_with_its_receipt(kind: str) -> None:
    item = ACKNOWLEDGEMENT.items[0]
    items = tuple(replace(item, receipt=f"SL202608-00{n}", title=f"标题{n}") for n in range(10, 13))
    rendered = render(replace(ACKNOWLEDGEMENT, items=items))
    assert rendered.subject.startswith("[SL202608-0010] 已收到3条")
    shown = squeezed(_words(rendered, kind))
    assert all(i.receipt in shown and i.title in shown for i in items)
    assert shown.count("张三") == 1, "the same person is named once"
    others = (*items, replace(item, receipt="SL202608-0013", submitter="王芳芳"))
    shown = squeezed(_words(render(replace(ACKNOWLEDGEMENT, items=others)), kind))
    assert shown.count("张三") == 3 and "王芳芳" in shown


def test_a_hundred_items_are_counted_not_all_listed() -> None:
    rendered = render(replace(ACKNOWLEDGEMENT, items=ACKNOWLEDGEMENT.items * 100))
    assert "其余 60 条从略" in rendered.text and "其余 60 条从略" in rendered.html


@pytest.mark.parametrize("code", ProblemCode)
def test_every_problem_has_one_paragraph_the_same_in_text_and_html(code: ProblemCode) -> None:
    plain = render(replace(RETURN, problems=(Problem(code),)))
    full = render(replace(RETURN, problems=(Problem(code, "某某", ("甲局", "unit")),)))
    for rendered in (plain, full):
        found = re.search(r"^1\. (.+)$", rendered.text, re.MULTILINE)
        assert found and found[1].endswith("。") and len(found[1]) > 8
        assert squeezed(found[1]) in squeezed(_words(rendered, "html"))
        assert "“”" not in found[1] and "（）" not in found[1]


def test_paragraphs_and_problem_codes_are_the_same_list() -> None:
    source = (shipped("templates") / "mail" / "problems.j2").read_text(encoding="utf-8")
    written = re.findall(r"\{%-?\s*macro\s+(\w+)", source)
    assert sorted(written) == sorted(c.value for c in ProblemCode)


def test_a_return_has_the_line_to_copy_alone_on_its_line_and_in_the_button() -> None:
    rendered = render(RETURN)
    assert RETURN.corrected_subject in rendered.text.splitlines()
    assert RETURN.corrected_subject in page(rendered.html).words
    assert page(rendered.html).links == [RETURN.mailto]
    assert rendered.subject == "[SL202608-0014] 请更正后重发：春耕备耕工作进展顺利"
    assert "不必重新添加" in rendered.text
    assert "来自邮件正文" in rendered.text and RETURN.example in rendered.text
    gaps = render(replace(RETURN, complete=False, keeps_attachments=False))
    assert "补写完整" in gaps.text and "请同时添加信息稿附件" in gaps.text


long = st.text(alphabet="农牧工作𠮷喆aA1 ·+—“”", max_size=400)


@settings(max_examples=150)
@given(
    values=st.lists(long, min_size=4, max_size=4),
    found=long,
    candidates=st.lists(long, max_size=8).map(tuple),
    codes=st.lists(st.sampled_from(ProblemCode), unique=True, min_size=1, max_size=7),
    subject=long,
    line=st.text(alphabet="农牧工作𠮷+", min_size=1, max_size=160),
    complete=st.booleans(),
    keeps=st.booleans(),
)
def test_a_return_stays_small_and_keeps_its_line(
    values: list[str],
    found: str,
    candidates: tuple[str, ...],
    codes: list[ProblemCode],
    subject: str,
    line: str,
    complete: bool,
    keeps: bool,
) -> None:
    letter = replace(
        RETURN,
        original_subject=subject,
        problems=tuple(Problem(c, found, candidates) for c in codes),
        understood=tuple(
            UnderstoodField(n, v, Source.ATTACHMENT, Certainty.GUESS)
            for n, v in zip(FieldName, values, strict=True)
        ),
        corrected_subject=line,
        complete=complete,
        keeps_attachments=keeps,
        example="教育体育局+" + "工作" * 30 + "+李四+13847700000",
    )
    rendered = render(letter)
    assert len(rendered.text.encode()) < RETURN_BYTES
    assert line in rendered.text.splitlines()
    assert rendered.text.rstrip().endswith("本邮件由系统自动发出。")
    assert len(re.findall(r"^\d+\. ", rendered.text, re.MULTILINE)) >= len(codes)


def test_even_an_endless_line_and_every_problem_stay_under_the_limit() -> None:
    letter = replace(
        RETURN,
        corrected_subject="农" * 5000,
        problems=tuple(Problem(c, "长" * 500, ("选" * 500,) * 9) for c in ProblemCode),
        office=replace(RETURN.office, signature="办" * 500, phone="1" * 500),
    )
    assert len(render(letter).text.encode()) < RETURN_BYTES


@pytest.mark.parametrize(
    "hostile",
    [
        "{{7*7}}{% for x in ().__class__.__mro__ %}",
        "<script>alert(1)</script><img src=x onerror=y>",
        "\" onmouseover=\"x' style='y",
        "%s {0.__class__} ${7*7}",
        "&lt;b&gt; &amp;",
    ],
)
def test_what_a_stranger_wrote_is_shown_not_run(hostile: str) -> None:
    item = replace(ACKNOWLEDGEMENT.items[0], title=hostile, submitter=hostile)
    booked = render(
        replace(
            ACKNOWLEDGEMENT,
            items=(item,),
            attachments=(AttachmentLine(hostile, 1),),
            warnings=(hostile,),
        )
    )
    returned = render(
        replace(
            RETURN,
            problems=(Problem(ProblemCode.UNIT_UNKNOWN, hostile, (hostile,)),),
            corrected_subject=hostile,
            mailto=mailto("x@example.com", hostile),
            understood=(UnderstoodField(FieldName.TITLE, hostile, Source.SUBJECT),),
        )
    )
    for rendered in (booked, returned):
        shown = page(rendered.html)
        assert shown.active == []
        assert all(link.startswith("mailto:") for link in shown.links)
        assert hostile in "".join(shown.words) and hostile in rendered.text
    assert hostile[:30] in booked.subject


def test_invisible_and_line_breaking_characters_are_gone() -> None:
    title = "甲\u202e乙\u200b丙\r\nBcc: x\u2028丁\x85戊\x00己\ud800庚"
    rendered = render(
        replace(ACKNOWLEDGEMENT, items=(replace(ACKNOWLEDGEMENT.items[0], title=title),))
    )
    assert "信息标题：甲乙丙 Bcc: x 丁 戊 己\ufffd庚" in rendered.text.splitlines()
    assert "\n" not in rendered.subject
    rendered.html.encode("utf-8")


@pytest.mark.parametrize(
    ("title", "shown"),
    [
        ("加微信http://evil.example/x?y=1领奖", "加微信［链接］领奖"),
        ("www.evil.example 优惠", "［链接］ 优惠"),
        ("HTTPS：//evil.example", "［链接］"),
        ("wwwh工作", "wwwh工作"),
    ],
)
def test_nobody_advertises_through_our_answers(title: str, shown: str) -> None:
    rendered = render(
        replace(ACKNOWLEDGEMENT, items=(replace(ACKNOWLEDGEMENT.items[0], title=title),))
    )
    assert f"信息标题：{shown}" in rendered.text.splitlines()
    assert rendered.subject.endswith("：" + shown)


def test_times_are_the_offices_whatever_zone_they_come_in() -> None:
    letter = replace(PENDING, received=datetime.fromisoformat("2026-08-11T16:05:00+00:00"))
    assert "2026年8月12日00:05" in render(letter).text


# --- an office's own templates --------------------------------------------------------------


@pytest.fixture
def own(tmp_path: Path) -> Path:
    folder = tmp_path / "otog" / "templates" / "mail"
    folder.mkdir(parents=True)
    return folder


def office(own: Path) -> MailTemplates:
    return MailTemplates(shipped("templates"), own.parents[2])


def test_an_office_overrides_one_template_and_keeps_the_others(own: Path) -> None:
    (own / "pending.txt.j2").write_text("收悉：{{ receipt }}", encoding="utf-8")
    templates = office(own)
    assert templates.render("otog", PENDING).text == "收悉：SL202608-0016\n"
    assert templates.render("otog", LIMIT) == render(LIMIT)
    assert templates.render("laiwu", PENDING) == render(PENDING), "another office is untouched"
    assert templates.check("otog") == []


def test_an_override_can_build_on_the_shipped_one(own: Path) -> None:
    (own / "pending.html.j2").write_text(
        '{% extends "shipped/pending.html.j2" %}{% block title %}收悉{% endblock %}',
        encoding="utf-8",
    )
    html = office(own).render("otog", PENDING).html
    assert "收悉" in html and "不必重复发送" in html
    assert office(own).check("otog") == []


def test_an_office_words_single_problems_itself(own: Path) -> None:
    (own / "problems.j2").write_text(
        "{% macro unit_missing(p) %}单位呢<？{% endmacro %}", encoding="utf-8"
    )
    letter = replace(
        RETURN, problems=(Problem(ProblemCode.UNIT_MISSING), Problem(ProblemCode.TITLE_MISSING))
    )
    rendered = office(own).render("otog", letter)
    assert "1. 单位呢<？" in rendered.text and "单位呢&lt;？" in rendered.html
    assert "2. 没有找到信息标题" in rendered.text
    assert office(own).check("otog") == []


@pytest.mark.parametrize("charset", ["utf-8-sig", "gb18030"])
def test_notepad_files_are_read(own: Path, charset: str) -> None:
    (own / "limit.subject.j2").write_bytes("今日不再回复".encode(charset))
    assert office(own).render("otog", LIMIT).subject == "今日不再回复"


@pytest.mark.parametrize(
    ("name", "source", "where", "words"),
    [
        ("pending.txt.j2", "一\n二\n{{ recipt }}", "pending.txt.j2:3", ["recipt", "receipt"]),
        (
            "pending.txt.j2",
            "{% if false %}{{ recipt }}{% endif %}x",
            "pending.txt.j2:1",
            ["recipt"],
        ),
        ("pending.txt.j2", "一\n{% if receipt %}", "pending.txt.j2:2", ["endif"]),
        ("limit.html.j2", "一\n{{ office.fax }}", "limit.html.j2:2", ["fax"]),
        ("limit.html.j2", "{{ day|nonsense }}", "limit.html.j2:1", ["nonsense"]),
        ("limit.html.j2", '{% include "nix.j2" %}', "limit.html.j2", ["nix.j2"]),
        ("limit.txt.j2", "{{ ''.__class__.__mro__ }}", "limit.txt.j2:1", ["__class__"]),
        ("limit.txt.j2", "\n{{ 1 / 0 }}", "limit.txt.j2:2", ["ZeroDivision"]),
        ("limit.txt.j2", "  \n", "limit.txt.j2", ["nothing"]),
        ("return.txt.j2", "请更正", "return.txt.j2", ["corrected"]),
        ("return.txt.j2", "长" * 700 + "{{ corrected_subject }}", "return.txt.j2", ["corrected"]),
        ("acknowledgment.txt.j2", "x", "acknowledgment.txt.j2", ["acknowledgement.txt.j2"]),
        (
            "problems.j2",
            "{% macro unit_mising(p) %}x{% endmacro %}",
            "problems.j2",
            ["unit_mising"],
        ),
        ("problems.j2", "\n{% macro unit_missing(p) %}{{ p.x }}{% endmacro %}", ":2", ["'x'"]),
        ("problems.j2", "\n{% macro unit_missing(p) %}", "problems.j2:2", ["endmacro"]),
        ("phrases.j2", "{% macro nothing() %}{% endmacro %}", ".j2:", ["received_lead"]),
    ],
)
def test_a_broken_template_is_named_with_file_and_line(
    own: Path, name: str, source: str, where: str, words: list[str]
) -> None:
    (own / name).write_text(source, encoding="utf-8")
    faults = office(own).check("otog")
    assert any(where in f.where and all(w in str(f) for w in words) for f in faults), faults


def test_a_broken_template_never_renders_half_a_letter(own: Path) -> None:
    (own / "pending.html.j2").write_text("{{ nix }}", encoding="utf-8")
    with pytest.raises(OperatorFault, match=r"pending\.html\.j2:1.*nix"):
        office(own).render("otog", PENDING)


def test_all_unreadable_files_are_told_at_once(own: Path) -> None:
    for name in ("pending.txt.j2", "limit.txt.j2"):
        (own / name).write_bytes(b"\xff\xff\xff")
    faults = office(own).check("otog")
    assert [Path(f.where).name for f in faults] == ["limit.txt.j2", "pending.txt.j2"]


def test_editing_a_template_changes_nothing_before_the_reload(own: Path) -> None:
    path = own / "pending.subject.j2"
    path.write_text("旧", encoding="utf-8")
    templates = office(own)
    assert templates.render("otog", PENDING).subject == "旧"
    path.write_text("新{{", encoding="utf-8")
    assert templates.render("otog", PENDING).subject == "旧"
    assert office(own).check("otog") != []


# --- labels and notations -------------------------------------------------------------------


def test_everything_has_its_label() -> None:
    assert set(FIELD_LABELS) == set(FieldName)
    assert set(SOURCE_LABELS) == set(Source)
    assert set(CERTAINTY_LABELS) == set(Certainty)
    assert set(PROBLEM_LABELS) == set(ProblemCode)
    assert len(set(PROBLEM_LABELS.values())) == len(PROBLEM_LABELS)


@pytest.mark.parametrize(
    ("size", "shown"),
    [
        (-1, "0 字节"),
        (0, "0 字节"),
        (1023, "1023 字节"),
        (1024, "1 KB"),
        (38_912, "38 KB"),
        (1_048_063, "1023 KB"),
        (1_048_064, "1.0 MB"),
        (1_258_291, "1.2 MB"),
        (1_073_741_823, "1.0 GB"),
        (5 * 1024**4, "5120.0 GB"),
    ],
)
def test_sizes_as_people_say_them(size: int, shown: str) -> None:
    assert human_size(size) == shown


def test_mailto_survives_signs_that_mean_something_in_an_address() -> None:
    link = mailto("a+b@example.com", "农牧局+50%&x=1?#\r\nBcc: y", "一\n二")
    assert link.startswith("mailto:a%2Bb@example.com?subject=%E5%86%9C")
    assert "%2B50%25%26x%3D1%3F%23%20Bcc%3A%20y&body=%E4%B8%80%0D%0A%E4%BA%8C" in link


def _words(rendered: Rendered, kind: str) -> str:
    return rendered.text if kind == "text" else "".join(page(rendered.html).words)


def test_a_broken_letter_of_our_own_accord_keeps_no_reply_from_being_written(own: Path) -> None:
    (own / "cover.txt.j2").write_text("{{ nix }}", encoding="utf-8")
    templates = office(own)
    assert templates.check("otog", replies_only=True) == []
    told = templates.check("otog")
    assert {f.where.rpartition("/")[2] for f in told} == {"cover.txt.j2:1"}
    (own / "account.txt.j2").write_text("{{ nix }}", encoding="utf-8")
    assert templates.check("otog", replies_only=True)
