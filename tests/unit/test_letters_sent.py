"""The letters of our own accord, and the answers to what a mail asks: what they say, in both forms."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any, TypeVar, get_args

import pytest

from mailbot.adapters.letters.names import PARTS, TEMPLATE_NAMES
from mailbot.adapters.letters.samples import SAMPLES
from mailbot.adapters.system import shipped
from mailbot.core.letters.every import Letter
from mailbot.core.letters.kinds import LetterKind
from mailbot.core.letters.notices import Cover
from mailbot.core.letters.office import Digest, DraftMail, RoundLine, RoundSummary
from mailbot.core.letters.periodic import (
    AdoptionNews,
    PeriodResult,
    QuotaLine,
    Reminder,
    TaskReminder,
    Thanks,
)
from mailbot.core.letters.service import Account, Help, ItemAccount, NotDone
from tests.unit.test_render import office, page, render, squeezed

L = TypeVar("L", bound=Letter)


def sample(kind: type[L]) -> L:
    """The first, richest sample of a kind."""
    return next(s for s in SAMPLES if isinstance(s, kind))


REMINDER = sample(Reminder)
RESULT = sample(PeriodResult)
COVER = sample(Cover)
DRAFT = sample(DraftMail)
SUMMARY = sample(RoundSummary)


def both(letter: Letter) -> tuple[str, str]:
    rendered = render(letter)
    shown = page(rendered.html)
    return squeezed(rendered.text), squeezed("".join((*shown.words, *shown.alts)))


def says(letter: Letter, *expected: str, never: tuple[str, ...] = ()) -> None:
    for shown in both(letter):
        for one in expected:
            assert squeezed(one) in shown, (one, shown)
        for one in never:
            assert squeezed(one) not in shown, (one, shown)


def kinds(union: Any) -> set[type]:
    return {k for part in get_args(union) for k in (kinds(part) or {part})}


def test_every_letter_has_its_templates_and_several_samples() -> None:
    assert set(TEMPLATE_NAMES) == kinds(Letter)
    assert set(LetterKind) <= {str(n) for n in TEMPLATE_NAMES.values()}
    for kind, name in TEMPLATE_NAMES.items():
        for part in PARTS:
            assert (shipped("templates") / "mail" / f"{name}.{part}.j2").is_file()
        assert [s for s in SAMPLES if isinstance(s, kind)], name


OWN_TESTS = ("acknowledgement", "return")
"""Their lists are numbered in the text only; `test_render` compares them."""
FACT = re.compile(r"[A-Z]{2}\d{6}-\d+|[\w.]+@[\w.]+|\d+(?:\.\d+)?|《[^》]+》")
NUMBERING = re.compile(r"^\s*\d+\. |(?<=附件)\d+", re.MULTILINE)


@pytest.mark.parametrize("letter", [s for s in SAMPLES if TEMPLATE_NAMES[type(s)] not in OWN_TESTS])
def test_text_and_html_carry_the_same_numbers_and_names(letter: Letter) -> None:
    rendered = render(letter)
    shown = page(rendered.html)
    html = "\n".join((*shown.words, *shown.alts))
    facts = [set(FACT.findall(NUMBERING.sub("", form))) for form in (rendered.text, html)]
    assert facts[0] == facts[1]


# --- reminders and results ---------------------------------------------------------------------


def quota(need: int, got: int, name: str = "信息", remark: bool = False) -> QuotaLine:
    return QuotaLine(name, need, got, max(need - got, 0), remark)


@pytest.mark.parametrize(
    ("quotas", "subject"),
    [
        ((quota(8, 5),), "【提醒】2026年8月政务信息还差3条（应报8条，截至8月31日）"),
        (
            (quota(8, 0), quota(1, 0, "专报", True)),
            "【提醒】2026年8月政务信息还差8条（应报8条，截至8月31日）",
        ),
        (
            (quota(8, 9), quota(1, 0, "专报", True)),
            "【提醒】2026年8月专报还差1条（应报1条，截至8月31日）",
        ),
        (
            (quota(20, 14, "主动报送信息"), quota(2, 0, "市专报信息")),
            "【提醒】2026年8月报送任务还有2项未完成：主动报送信息还差6条，市专报信息还差2条（截至8月31日）",
        ),
        (
            (quota(20, 20, "主动报送信息"), quota(2, 0, "市专报信息")),
            "【提醒】2026年8月市专报信息还差2条（应报2条，截至8月31日）",
        ),
    ],
)
def test_a_reminder_tells_what_is_owed_in_its_subject(
    quotas: tuple[QuotaLine, ...], subject: str
) -> None:
    assert render(replace(REMINDER, quotas=quotas)).subject == subject


def test_a_reminder_tells_what_counted_what_did_not_until_when_and_how() -> None:
    says(
        REMINDER,
        "农牧局信息员同志：",
        "应报8条、已报5条，还差3条",
        "8月31日前（含当日，还有5个工作日）",
        "春耕备耕工作进展顺利",
        "SL202608-0014",
        "已退回，待更正",
        "SL202608-0033",
        "正在核对",
        REMINDER.example,
        REMINDER.office.mailbox,
        "某政办发〔2022〕65号　二（四）1（1）",
        never=("不再另行提醒", "督促"),
    )


@pytest.mark.parametrize(
    ("days", "said"),
    [
        (5, "（含当日，还有5个工作日）"),
        (1, "（含当日，仅余1个工作日）"),
        (0, "8月31日前（含当日）"),
    ],
)
def test_the_days_that_are_left(days: int, said: str) -> None:
    says(replace(REMINDER, days_left=days), said)


def test_a_head_is_asked_to_see_to_it_and_told_by_whom() -> None:
    head = replace(REMINDER, role="head", last_stage=True)
    says(head, "农牧局主要负责同志：", "请督促信息员张三同志于8月31日前", "本期不再另行提醒")
    says(replace(head, liaison=""), "请督促有关同志于8月31日前")
    says(replace(head, role="deputy"), "农牧局分管负责同志：")


def test_a_recommending_unit_is_not_taken_for_the_unit() -> None:
    copy = replace(REMINDER, role="recommender", unit="某某研究院")
    says(copy, "某某研究院推荐单位：", "贵单位推荐的某某研究院2026年8月", "请督促该单位")
    assert "某某研究院" in render(copy).subject


def test_a_result_says_done_or_short_and_thanks() -> None:
    assert render(RESULT).subject == "【结果】2026年8月政务信息少报3条（应报8条，实报5条）"
    says(RESULT, "已于8月31日截止", "少报3条", "申诉")
    met = replace(RESULT, quotas=(quota(8, 9),))
    assert render(met).subject == "【结果】2026年8月报送任务已完成（应报8条，实报9条）"
    says(met, "已完成报送任务", never=("少报",))
    # What is asked for in principle only is no failure.
    in_principle = replace(RESULT, quotas=(quota(3, 3), quota(1, 0, "专报", True)))
    says(in_principle, "已完成报送任务", "属原则性要求，只作提示", never=("请查找原因",))
    says(sample(Thanks), "谨致谢意", "政务信息", "已完成")


def test_long_lists_are_cut_with_their_number_told() -> None:
    many = replace(REMINDER, counted=REMINDER.counted * 60)
    says(many, "已计入的信息（300条）", "其余100条从略")


# --- tasks and news ----------------------------------------------------------------------------


def test_tasks_tell_what_is_late() -> None:
    tasks = sample(TaskReminder)
    assert render(tasks).subject == "【逾期提醒】4项工作任务待办结，1项已逾期"
    says(tasks, "GK-21", "2026年12月14日", "已逾期1个工作日", "还有12个工作日", "未定期限")
    one = replace(tasks, lines=(replace(tasks.lines[0], due=date(2026, 12, 31)),), commissions=True)
    assert render(one).subject.startswith("【提醒】1项约稿待交稿（最早12月31日到期）：")
    without = replace(tasks, lines=(tasks.lines[2],))
    assert "到期" not in render(without).subject


def test_news_count_items_not_events() -> None:
    news = sample(AdoptionNews)
    twice = replace(news, lines=(*news.lines, replace(news.lines[0], what="市领导批示")), to="")
    says(twice, "1条信息", "《某某政讯》采用", "市领导批示", "农牧局：")
    assert (
        render(news).subject == "【采用】《某某政讯》采用：关于基层农技推广队伍建设情况的调研报告"
    )


# --- to the office -----------------------------------------------------------------------------


def test_a_summary_names_whom_nobody_reached() -> None:
    says(
        SUMMARY, "某某镇人民政府", "信息员没有邮箱", "名册里没有主要负责人", "zhangsan@example.org"
    )
    assert "2个未通知到" in render(SUMMARY).subject
    quiet = replace(SUMMARY, short=(), met=52)
    says(quiet, "未完成0个单位，已完成52个单位", never=("未通知到",))


def test_a_summary_of_tasks_names_those_nobody_was_given() -> None:
    due = sample(TaskReminder).lines[:1]
    letter = replace(
        SUMMARY,
        what="任务",
        period="2026年12月31日到期的任务",
        short=(RoundLine("财政局", "", (), due=due),),
        unassigned=due,
    )
    says(letter, "尚未交办", "财政局", "GK-07")
    assert "1项未交办" in render(letter).subject


def test_a_draft_shows_everything_unusual_and_who_gets_nothing() -> None:
    says(DRAFT, *DRAFT.flags, *DRAFT.summary, "其中1人没有邮箱", "没有邮箱，不发送", *DRAFT.files)
    assert "4项需留意" in render(DRAFT).subject


def test_a_draft_tells_how_to_decide_and_its_code() -> None:
    says(
        DRAFT,
        "第一行写“批准”",
        "写“退回”加理由",
        "2026年10月16日18:00前有效",
        "mailbot notices approve 12",
        "mailbot notices reject 12 --why",
        "封存2026年第三季度",
    )
    for token in ("ABCDEFGH", "ABCD-EFGH"):
        assert render(replace(DRAFT, token=token)).subject.startswith("[审批码 ABCD-EFGH] ")
        says(replace(DRAFT, token=token), "ABCD-EFGH")
    others = replace(DRAFT, token="", valid_until=None, seals=False, flags=(), recipients=())
    says(others, "mailbot notices approve 12", "不发送邮件", never=("审批码", "封存", "需要留意的"))


def test_a_digest_has_what_is_urgent_first_and_leaves_nothing_uncounted() -> None:
    digest = sample(Digest)
    text = render(digest).text
    order = [text.index(f"【{p}（") for p in ("待核", "今天到期", "收到", "自动回执")]
    assert order == sorted(order)
    says(digest, "收到（37）", "其余35项从略", "无：退信", *digest.warnings)
    assert render(digest).subject == (
        "【每日简报】10月9日：待核1，今天到期1，收到37，自动回执1（1条提示）"
    )
    says(replace(digest, parts=(), warnings=()), "没有新情况")


# --- covers ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("place", "tied", "change", "start"),
    [
        (3, 0, 2, "【第3位，较上季度上升2位】"),
        (14, 2, -12, "【并列第14位，较上季度下降12位】"),
        (1, 1, 0, "【并列第1位，与上季度持平】"),
        (7, 0, None, "【第7位】"),
        (None, 0, None, "【通报】"),
    ],
)
def test_a_cover_begins_with_the_units_own_place(
    place: int | None, tied: int, change: int | None, start: str
) -> None:
    line = replace(COVER.line, place=place, tied=tied, change=change)
    rendered = render(replace(COVER, line=line))
    assert rendered.subject == start + COVER.title
    first = next(x for x in rendered.text.splitlines()[1:] if x)
    assert first.startswith("贵单位2026年第三季度：")
    assert (("并列" in first) is bool(tied)) and (("另外" in first) is bool(tied))


@pytest.mark.parametrize(
    ("period", "begins"),
    [
        ("2026年第三季度", "【本季度没有报送和采用】"),
        ("2026年8月", "【本月没有报送和采用】"),
        ("2026年上半年", "【本半年没有报送和采用】"),
        ("2026年", "【本年度没有报送和采用】"),
    ],
)
def test_who_sent_nothing_is_not_congratulated_on_the_place_that_all_share(
    period: str, begins: str
) -> None:
    silent = replace(
        COVER.line, place=1, tied=30, change=0, submissions=0, adopted=0, silent=True, listed=()
    )
    letter = replace(COVER, period=period, line=silent)
    rendered = render(letter)
    assert rendered.subject == begins + COVER.title
    first = next(x for x in rendered.text.splitlines()[1:] if x)
    assert first == f"贵单位{period}没有报送和采用。"
    says(letter, "并列第1位，与另外30个单位位次相同")
    assert rendered.html.index("没有报送和采用") < rendered.html.index("并列第1位")


def test_what_a_notice_leaves_to_the_office_is_not_cut() -> None:
    flag = "文件留给本室定：" + "；".join(f"{n}. {'末位怎样算' * 6}" for n in range(1, 13))
    says(replace(DRAFT, flags=(flag,)), flag)


def test_a_draft_says_that_a_date_may_be_given_too() -> None:
    says(DRAFT, "批准 ×政办发〔2026〕×号 2026年×月×日", "不写日期的以批准当天为成文日期")


@pytest.mark.parametrize(
    ("period", "before"),
    [
        ("2026年8月", "较上月上升"),
        ("2026年第一季度", "较上季度上升"),
        ("2026年上半年", "较上一个半年上升"),
        ("2026年", "较上年上升"),
    ],
)
def test_a_place_is_compared_with_the_period_before(period: str, before: str) -> None:
    says(replace(COVER, period=period), before)


def test_a_cover_tells_numbers_lists_files_and_charts_in_both_forms() -> None:
    says(
        COVER,
        "农牧局王甲同志：",
        "第二组（共31个单位）第3位",
        "上季度第5位",
        "142.5",
        "398",
        *COVER.line.listed,
        *COVER.files,
        COVER.charts[0].alt,
        "（某政办发〔2026〕12号）",
    )
    html = render(COVER).html
    assert 'src="cid:months@mailbot"' in html and COVER.charts[0].caption in html
    assert "cid:" not in render(replace(COVER, charts=())).html


def test_an_office_without_points_shows_none() -> None:
    line = replace(COVER.line, points=None, cumulative=None)
    says(replace(COVER, line=line), "第3位", never=("本期得分", "累计得分"))
    line = replace(COVER.line, points=Decimal("86.00"), cumulative=Decimal("1E+2"))
    says(replace(COVER, line=line), "86", "100", never=("86.00", "1E+2"))


def test_one_ranking_of_all_has_no_group() -> None:
    says(
        replace(COVER, line=replace(COVER.line, table="", of=52)),
        "52个单位中第3位",
        never=("（共",),
    )


# --- answers -----------------------------------------------------------------------------------


def test_an_account_is_whole() -> None:
    account = sample(Account)
    says(
        account,
        "共计入信息5条，另有3条尚未计入，得分21.5分（以通报为准）",
        "+22.5",
        "-2",
        "正在办理",
        "经核实，该条已按采用计分。",
    )
    assert render(account).subject == "【查询】农牧局2026年8月：计入5条，未计入3条，还差3条"
    over = replace(account, over=True)
    says(over, "实报", never=("以通报为准", "截至目前"))
    says(
        replace(account, note="尚无计分规定。", points=None), "尚无计分规定。", never=("得分21.5",)
    )


def test_an_item_shows_its_story() -> None:
    item = sample(ItemAccount)
    says(item, *item.history, "申诉 SL202608-0003", "+1")
    says(replace(item, entries=()), "目前没有计分记录")


def test_help_names_the_fields_and_commands() -> None:
    help_ = sample(Help)
    says(help_, help_.example, *(word for pair in help_.commands for word in pair))


def test_what_could_not_be_done_says_what_was_found_and_what_to_do() -> None:
    letter = sample(NotDone)
    says(letter, letter.found, letter.remedy, letter.command)
    ended = render(replace(letter, found="没有这个月。")).text
    assert "没有这个月。" in ended and "。。" not in ended


# --- strangers' words, and the office's own templates -------------------------------------------


@pytest.mark.parametrize(
    "hostile", ["{{7*7}}{% x %}", "<script>alert(1)</script>", "\" onload='x'", "%s {0.__class__}"]
)
def test_a3_a5_what_a_stranger_wrote_is_shown_not_run(hostile: str) -> None:
    counted = replace(REMINDER.counted[0], title=hostile, category=hostile)
    news = sample(AdoptionNews)
    digest = sample(Digest)
    parts = (replace(digest.parts[0], lines=(replace(digest.parts[0].lines[0], text=hostile),)),)
    chart = replace(COVER.charts[0], alt=hostile, caption=hostile)
    for letter in (
        replace(REMINDER, counted=(counted,), open=(), unit=hostile, liaison=hostile),
        replace(news, lines=(replace(news.lines[0], title=hostile, what=hostile),)),
        replace(digest, parts=parts, warnings=(hostile,)),
        replace(sample(NotDone), command=hostile, found=hostile),
        replace(COVER, charts=(chart,), to=hostile[:20], files=(hostile,)),
    ):
        rendered = render(letter)
        shown = page(rendered.html)
        assert shown.active == []
        assert hostile in "".join((*shown.words, *shown.alts)) and hostile in rendered.text


def test_returned_items_of_a_past_month_are_told_when_they_still_count() -> None:
    """By the office's working days for corrections, whatever day the letter is read."""
    letter = replace(RESULT, open=RESULT.open, office=replace(RESULT.office, correction_days=3))
    says(letter, "来信后3个工作日内更正的计入来信当月，此后更正的计入更正当月")
    none = replace(letter, office=replace(letter.office, correction_days=0))
    says(none, "来信当日更正的计入来信当月，此后更正的计入更正当月")
    unsaid = replace(letter, office=replace(letter.office, correction_days=None))
    says(unsaid, "按期更正的计入来信当月，逾期更正的计入更正当月", never=("None",))
    running = replace(REMINDER, office=letter.office)
    says(running, "请按退回函所列问题更正主题后重新发送", never=("计入更正当月",))
    held = tuple(replace(one, held=True) for one in RESULT.open)
    says(replace(letter, open=held), "正在核对", never=("更正的计入",))


COMMISSIONS = next(
    s for s in SAMPLES if isinstance(s, TaskReminder) and s.commissions and s.lines[0].number
)


def test_a_commissions_number_helps_the_office_and_matches_nothing_by_itself() -> None:
    number = COMMISSIONS.lines[0].number
    says(
        COMMISSIONS,
        f"在正文中注明约稿编号（如 {number}），便于工作人员核对办结",
        never=("以便系统对应登记",),
    )


def test_a_commission_without_a_number_prints_no_empty_one() -> None:
    without = tuple(replace(one, number="", clause="") for one in COMMISSIONS.lines)
    letter = replace(COMMISSIONS, lines=without)
    says(letter, "信息标题与约稿题目一致", never=("编号", "（如"))
    mixed = replace(letter, lines=(without[0], COMMISSIONS.lines[0]))
    says(mixed, f"（如 {COMMISSIONS.lines[0].number}）")
    assert render(mixed).text.count("编号：") == 1


@pytest.mark.parametrize(
    ("period", "name", "told"),
    [
        ("2026年6月", "当月报送结果", "2026年6月报送结果"),
        ("2026年第三季度", "季度报送任务提醒", "2026年第三季度报送任务提醒"),
        ("2026年", "年度高质量报告提醒", "2026年高质量报告提醒"),
        ("2026年6月", "报送任务提醒", "2026年6月报送任务提醒"),
    ],
)
def test_a_period_is_said_once(period: str, name: str, told: str) -> None:
    letter = replace(SUMMARY, period=period, name=name, what="")
    assert told in render(letter).subject
    says(letter, told, never=(period + name,) if period + name != told else ())


def test_dates_and_points_never_break() -> None:
    account = sample(Account)
    entry = replace(account.entries[0], clause="（三）" * 30, text="《" + "A" * 80 + "》采用")
    html = render(replace(account, entries=(entry,))).html
    table = html[html.index("计分事项") :]
    cells = re.findall(r"<td[^>]*>", table)[:3]
    assert [("white-space:nowrap" in c) for c in cells] == [False, True, True]


def test_nobody_advertises_through_an_account() -> None:
    account = sample(Account)
    item = replace(account.counted[0], title="加微信http://evil.example/x领奖")
    for shown in both(replace(account, counted=(item,))):
        assert "evil" not in shown and "加微信［链接］领奖" in shown


@pytest.fixture
def own(tmp_path: Path) -> Path:
    folder = tmp_path / "otog" / "templates" / "mail"
    folder.mkdir(parents=True)
    return folder


def test_an_office_words_one_letter_itself(own: Path) -> None:
    (own / "reminder.subject.j2").write_text("请抓紧：{{ period }}", encoding="utf-8")
    (own / "cover.html.j2").write_text(
        '{% extends "shipped/cover.html.j2" %}{% block title %}阅知{% endblock %}', encoding="utf-8"
    )
    templates = office(own)
    assert templates.render("otog", REMINDER).subject == "请抓紧：2026年8月"
    assert "阅知" in templates.render("otog", COVER).html
    assert templates.render("laiwu", REMINDER) == render(REMINDER)
    assert templates.check("otog") == []


def test_unknown_fields_are_named_in_every_template_all_at_once(own: Path) -> None:
    names = [f"{name}.{part}.j2" for name in TEMPLATE_NAMES.values() for part in PARTS]
    for name in names:
        (own / name).write_text(
            "一{{ office.name }}\n{% if false %}{{ nonsence }}{% endif %}", encoding="utf-8"
        )
    found = [f for f in office(own).check("otog") if "nonsence" in str(f)]
    assert {Path(f.where).name for f in found} == {f"{name}:2" for name in names}


@pytest.mark.parametrize(
    ("name", "source", "unknown"),
    [
        ("cover.txt.j2", "{{ line.plaice }}", "line.plaice"),
        ("cover.txt.j2", "{{ office.fax }}", "office.fax"),
        ("draft.html.j2", "{{ letter.flag }}", "letter.flag"),
    ],
)
def test_an_unknown_part_of_a_field_is_named_where_no_sample_comes(
    own: Path, name: str, source: str, unknown: str
) -> None:
    text = "{{ office.name }}\n{% if false %}" + source + "{% endif %}"
    (own / name).write_text(text, encoding="utf-8")
    faults = office(own).check("otog")
    assert any(f.where.endswith(f"{name}:2") and unknown in str(f) for f in faults), faults


def test_a_name_the_template_sets_itself_is_not_taken_for_the_field(own: Path) -> None:
    (own / "cover.txt.j2").write_text(
        "{% for line in files %}{{ line.upper() }}{% endfor %}x", encoding="utf-8"
    )
    assert office(own).check("otog") == []
