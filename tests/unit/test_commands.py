"""What is a command, and what never is."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailbot.core.intake.commands import (
    Request,
    Ruling,
    Supplement,
    Verb,
    read_command,
    read_period,
    read_request,
    read_ruling,
)
from mailbot.core.mail.model import IncomingMail
from mailbot.core.rules.periods import Period

DAY = date(2026, 8, 12)
DATA = Path(__file__).resolve().parents[1] / "data"


def mail(subject: str = "", text: str = "") -> IncomingMail:
    return IncomingMail(size=1, sha256="", content_key="", subject=subject, text=text)


# --- requests


@pytest.mark.parametrize(
    ("subject", "verb", "target"),
    [
        ("查询", Verb.QUERY, None),
        ("  查询。", Verb.QUERY, None),
        ("Re: 查询", Verb.QUERY, None),
        ("答复：回复: 查询", Verb.QUERY, None),
        ("【查询】", Verb.QUERY, None),
        ("（查询）上月", Verb.QUERY, "2026-07"),
        ("查询上个月", Verb.QUERY, "2026-07"),
        ("查询 本月 谢谢", Verb.QUERY, "2026-08"),
        ("查询：8月", Verb.QUERY, "2026-08"),
        ("查询 9月", Verb.QUERY, "2025-09"),
        ("查询　２０２６年８月份报送情况，谢谢", Verb.QUERY, "2026-08"),
        ("查询+2026-07", Verb.QUERY, "2026-07"),
        ("查询 202607", Verb.QUERY, "2026-07"),
        ("查询三季度", Verb.QUERY, "2026-Q3"),
        ("查询 四季度", Verb.QUERY, "2025-Q4"),
        ("请查询2026年第2季度得分", Verb.QUERY, "2026-Q2"),
        ("查询 上半年", Verb.QUERY, "2026-H1"),
        ("查询 去年", Verb.QUERY, "2025"),
        ("查询 2026", Verb.QUERY, "2026"),
        ("查询 EQ202608-0012", Verb.QUERY, "EQ202608-0012"),
        ("查询 eq２０２６０８－００１２ 处理到哪一步了", Verb.QUERY, "EQ202608-0012"),
        ("查询 回执编号：EQ2026080012", Verb.QUERY, "EQ202608-0012"),
        ("申诉 EQ202608-0012", Verb.APPEAL, "EQ202608-0012"),
        ("申诉：【EQ202608-0012】应计为问题类", Verb.APPEAL, "EQ202608-0012"),
        ("申诉 记录17", Verb.APPEAL, "17"),
        ("申诉 record:17", Verb.APPEAL, "17"),
        ("申诉 第17号记录，分数不对", Verb.APPEAL, "17"),
        ("申诉", Verb.APPEAL, None),
        ("帮助", Verb.HELP, None),
        ("请帮助", Verb.HELP, None),
    ],
)
def test_a_request(subject: str, verb: Verb, target: str | None) -> None:
    found = read_request(subject, DAY)
    assert found is not None and found.verb is verb and not found.unread
    said = found.receipt or (found.period.code if found.period else None)
    assert (said or (str(found.record) if found.record else None)) == target


@pytest.mark.parametrize(
    ("subject", "unread"),
    [
        ("查询 2026年13月", "2026年13月"),
        ("查询 0012", "0012"),
        ("查询 13900000000", "13900000000"),
        ("查询 EQ202608", "EQ202608"),
        ("申诉 0012", "0012"),
        ("申诉 EQ202613-0012", "EQ202613-0012"),
    ],
)
def test_a_target_that_cannot_be_read_is_told(subject: str, unread: str) -> None:
    found = read_request(subject, DAY)
    assert found is not None and found.unread.upper() == unread
    assert (found.period, found.receipt, found.record) == (None, "", None)


@pytest.mark.parametrize(
    "subject",
    [
        "教体局+关于查询平台上线的情况+王甲+13900000000",
        "教体局+查询系统上线+王甲+13900000000",
        "查询+教体局+王甲+13900000000",
        "教体局+申诉渠道更加畅通+王甲+7622029",
        "教体局 帮助企业纾困解难 王甲 7622029",
        "查询系统上线",
        "查询便民服务",
        "查询2026年8月水费缴纳情况",
        "帮助企业纾困解难",
        "申诉渠道更加畅通",
        "申诉材料",
        "关于查询",
        "转发：查询",
        "Fw: 申诉 EQ202608-0012",
        "自动回复：查询",
        "【查询】农牧局2026年8月：计入3条，还差5条",
        "未能办理：查询 2026年13月",
        "报送要求和可以发送的指令",
        "",
    ],
)
def test_no_request(subject: str) -> None:
    assert read_request(subject, DAY) is None


def subjects() -> Iterator[str]:
    """Every cell of every collected subject and title."""
    for path in sorted(DATA.glob("*.tsv")):
        with path.open(encoding="utf-8", newline="") as lines:
            for row in csv.reader(lines, delimiter="\t", quoting=csv.QUOTE_NONE):
                yield from row


def test_no_collected_subject_or_title_is_a_command() -> None:
    found = [text for text in subjects() if text]
    assert len(found) > 5000
    assert [text for text in found if read_command(mail(text, text), DAY)] == []


@given(
    unit=st.sampled_from(("教体局", "旗农牧局", "昂素镇")),
    title=st.sampled_from(("查询", "申诉", "帮助", "查询 2026年8月", "申诉 记录17")),
    tail=st.sampled_from(("", "系统上线", "情况的报告", "工作见成效")),
    join=st.sampled_from(("+", " ", "＋", "，", "-", "、")),
)
def test_a_submission_with_a_title_of_that_name_is_none(
    unit: str, title: str, tail: str, join: str
) -> None:
    line = join.join((unit, title + tail, "王甲", "13900000000"))
    assert read_request(line, DAY) is None


@given(st.text(alphabet="查询申诉帮助请记录第号0123456789EQ-年月上季度【】：+ Re:\n", max_size=60))
def test_reading_is_total(text: str) -> None:
    found = read_command(mail(text, text), DAY)
    assert found is None or isinstance(found, Request | Ruling | Supplement)


@pytest.mark.parametrize(
    ("text", "day", "code"),
    [
        ("12月", date(2027, 1, 3), "2026-12"),
        ("1月", date(2027, 1, 3), "2027-01"),
        ("上月", date(2027, 1, 3), "2026-12"),
        ("上季度", date(2027, 1, 3), "2026-Q4"),
        ("下半年", date(2027, 1, 3), "2026-H2"),
        ("今年上半年", date(2026, 8, 1), "2026-H1"),
        ("去年12月", date(2026, 8, 1), "2025-12"),
        ("2026年全年", date(2026, 8, 1), "2026"),
        ("2026年度", date(2026, 8, 1), "2026"),
    ],
)
def test_periods_without_a_year_are_the_latest_that_had_begun(
    text: str, day: date, code: str
) -> None:
    assert read_period(text, day) == Period.parse(code)


# --- rulings

SUBJECT = "答复: [审批码 ABCD-EFGH] 【待审批】季度通报（2026年第三季度，第12号草稿）"
QUOTED = '\n\n------------------ 原始邮件 ------------------\n发件人: "信息室" <xinxi@example.org>\n批准 审批码：ABCD-EFGH\n'


def ruled(text: str, subject: str = SUBJECT) -> Ruling | None:
    return read_ruling(mail(subject, text + QUOTED), DAY)


@pytest.mark.parametrize(
    ("text", "number", "issued"),
    [
        ("批准", "", None),
        ("同意。", "", None),
        ("领导好：\n批准！", "", None),
        ("批准 鄂前政办通〔2026〕12号", "鄂前政办通〔2026〕12号", None),
        ("批准鄂前政办通(2026)12号", "鄂前政办通〔2026〕12号", None),
        (
            "同意印发，发文字号：鄂前政办通［２０２６］１２号，2026年10月12日",
            "鄂前政办通〔2026〕12号",
            date(2026, 10, 12),
        ),
        (
            "批准\n鄂前政办通〔2026〕12号\n2026-10-12\n\n王甲\n前旗政府办\n发自我的iPhone",
            "鄂前政办通〔2026〕12号",
            date(2026, 10, 12),
        ),
    ],
)
def test_an_approval(text: str, number: str, issued: date | None) -> None:
    assert ruled(text) == Ruling(
        ("ABCDEFGH",), text.split("\n")[-1 if "领导" in text else 0], True, number, issued
    )


@pytest.mark.parametrize(
    "text",
    [
        "同意，但请修改第二段",
        "批准\n\n但第二段请改一下",
        "批准吗？",
        "同意你们的意见",
        "批准 2026年13月1日",
        "批准 甲〔2026〕1号 乙〔2026〕2号",
        "批准\n退回",
        "批准，除教体局外",
    ],
)
def test_an_approval_with_a_reservation_is_none(text: str) -> None:
    found = ruled(text)
    assert found is not None and found.approves is None


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("退回 税务局条数有误", "税务局条数有误"),
        ("退回：理由：税务局条数有误（应为12条）。", "税务局条数有误（应为12条）。"),
        ("不同意，请核对 ABC 第一段。", "请核对 ABC 第一段。"),
        ("退回\n\n请核对第一段。", "请核对第一段。"),
        ("不批准", ""),
    ],
)
def test_a_rejection(text: str, why: str) -> None:
    found = ruled(text)
    assert found is not None and found.approves is False and found.why == why


@pytest.mark.parametrize("text", ["好的，我看看", "原则同意", "", "收到", "> 批准"])
def test_another_reply_is_no_ruling(text: str) -> None:
    assert ruled(text) is None


def test_what_is_quoted_never_approves() -> None:
    assert ruled("请问税务局的数对吗？") is None


def test_the_code_may_stand_in_the_quotation_only() -> None:
    found = ruled("批准", "Re: 季度通报")
    assert found is not None and found.codes == ("ABCDEFGH",)
    assert read_ruling(mail("Re: 季度通报", "批准"), DAY) is None


def test_a_code_without_a_verdict_is_a_silent_ruling() -> None:
    found = read_command(mail(SUBJECT, "领导好：\n数字核对过了吗？" + QUOTED), DAY)
    assert isinstance(found, Ruling) and found.silent and found.approves is None
    assert (found.codes, found.written) == (("ABCDEFGH",), "数字核对过了吗？")
    assert read_command(mail("Re: 季度通报", "数字核对过了吗？"), DAY) is None
    assert isinstance(read_command(mail("查询 8月", "ABCD-EFGH"), DAY), Request)
    ruling = read_command(mail(SUBJECT, "批准" + QUOTED), DAY)
    assert isinstance(ruling, Ruling) and not ruling.silent


def test_the_subjects_code_comes_before_those_of_the_body() -> None:
    found = read_ruling(mail(SUBJECT, "批准\n电话 7622-2293\n" + QUOTED), DAY)
    assert found is not None and found.codes == ("ABCDEFGH",)


def test_a_reply_about_an_appeal() -> None:
    subject = "Re: 申诉已收到（第3号）：EQ202608-0003"
    assert read_command(mail(subject), DAY) == Supplement(3)
    assert read_command(mail(subject.removeprefix("Re: ")), DAY) is None
