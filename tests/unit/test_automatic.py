"""Machines' letters are told from people's, and nobody is answered who must not be."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mailbot.core.mail.automatic import (
    Automatic,
    AutomaticKind,
    Ourselves,
    answer_refused,
    bounced_message_ids,
    judge,
    recalled_subject,
    refusal,
)
from mailbot.core.mail.model import (
    Address,
    Attachment,
    AttachmentKind,
    IncomingMail,
    NestedMail,
)

KEYED = "mb.abc.sig@163.com"
MARK = "abc.sig"
US = Ourselves(
    addresses=frozenset({"eqqxxs119@163.com", "xinxi@otog.gov.cn"}),
    message_id_domain="163.com",
    verify=lambda text: text in (KEYED, MARK),
)
GOOD_SUBJECT = "农牧局+春耕备耕工作进展顺利+张三+7622029"
DOCX = Attachment("春耕.docx", "application/octet-stream", AttachmentKind.WORD, 9000, "", "2")


def mail(**changes: Any) -> IncomingMail:
    fields: dict[str, Any] = {
        "size": 1,
        "sha256": "",
        "content_key": "",
        "subject": GOOD_SUBJECT,
        "from_": (Address("zhangsan@qq.com", "张三"),),
        "return_path": Address("zhangsan@qq.com"),
    }
    return IncomingMail(**(fields | changes))


def with_header(name: str, value: str, **changes: Any) -> IncomingMail:
    return mail(headers=(("Received", "x"), (name, value), ("To", "y")), **changes)


def kind(m: IncomingMail) -> AutomaticKind | None:
    found = judge(m, US)
    return found.kind if found else None


def test_a_person_s_submission_is_neither() -> None:
    assert judge(mail(), US) is None
    assert answer_refused(mail(), US) is None


def test_a_missing_return_path_is_usual_and_a_null_one_refuses() -> None:
    assert answer_refused(mail(return_path=None), US) is None
    null = mail(return_path=Address(""))
    assert judge(null, US) is None
    refused = refusal(null, US)
    assert refused is not None
    assert refused.kind is AutomaticKind.NULL_SENDER


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        ("Auto-Submitted", "auto-replied", AutomaticKind.AUTO_REPLY),
        ("AUTO-SUBMITTED", " (vacation) Auto-Replied; owner-email=x@y", AutomaticKind.AUTO_REPLY),
        ("X-Autoreply", "yes", AutomaticKind.AUTO_REPLY),
        ("X-AutoReply-From", "a@b", AutomaticKind.AUTO_REPLY),
        ("X-Auto-Reply-From", "a@b", AutomaticKind.AUTO_REPLY),
        ("X-Autorespond", "x", AutomaticKind.AUTO_REPLY),
        ("X-Mail-Autoreply", "1", AutomaticKind.AUTO_REPLY),
        ("x-autoresponder-version", "2", AutomaticKind.AUTO_REPLY),
        ("X-POST-MessageClass", "9; Autoresponder", AutomaticKind.AUTO_REPLY),
        ("Precedence", "auto_reply", AutomaticKind.AUTO_REPLY),
        ("Precedence", "Auto-Reply (x)", AutomaticKind.AUTO_REPLY),
        ("X-Failed-Recipients", "a@b", AutomaticKind.BOUNCE),
        ("X-Mailbot-Id", MARK, AutomaticKind.OWN),
    ],
)
def test_headers_of_machines(name: str, value: str, expected: AutomaticKind) -> None:
    for shown in (name, name.lower(), name.upper()):
        m = with_header(shown, value, attachments=(DOCX,))
        assert kind(m) is expected
        assert answer_refused(m, US)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("Auto-Submitted", "no"),
        ("Auto-Submitted", "No (typed by hand); a=b"),
        ("X-Auto-Response-Suppress", "DR, RN, NRN"),
        ("X-Auto-Response-Suppress", "None"),
        ("X-Autoreply", "no"),
        ("Precedence", "first-class"),
        ("Precedence", "normal"),
        ("Disposition-Notification-To", "zhangsan@qq.com"),
        ("X-Mailer", "Foxmail 7.2"),
        ("Listing", "x"),
    ],
)
def test_headers_that_prove_nothing(name: str, value: str) -> None:
    assert answer_refused(with_header(name, value), US) is None


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("List-Id", "<info.otog.gov.cn>"),
        ("list-unsubscribe", "<mailto:x@y>"),
        ("List-Post", "NO"),
        ("X-BeenThere", "a@b"),
        ("X-ML-Name", "neko"),
        ("Precedence", "bulk"),
        ("PRECEDENCE", "Junk"),
        ("Precedence", "list"),
        ("X-Auto-Response-Suppress", "All"),
        ("X-Auto-Response-Suppress", "DR, OOF, AutoReply"),
        ("Auto-Submitted", "auto-generated"),
        ("Auto-Submitted", "auto-notified; x"),
        ("Auto-Submitted", "something-new"),
        ("X-Mailbot-Id", "another.mailbot"),
    ],
)
def test_headers_that_forbid_the_answer_but_drop_nothing(name: str, value: str) -> None:
    m = with_header(name, value)
    assert judge(m, US) is None
    assert answer_refused(m, US)


_LOUD = [
    ("List-Id", "<a.b>"),
    ("Precedence", "bulk"),
    ("Auto-Submitted", "auto-replied"),
    ("Auto-Submitted", "auto-generated"),
    ("X-Autoreply", "yes"),
    ("X-Auto-Response-Suppress", "All"),
    ("X-Failed-Recipients", "a@b"),
    ("Reply-To", "<eqqxxs119@163.com>"),
]
_QUIET = [("Subject", GOOD_SUBJECT), ("To", "x"), ("Auto-Submitted", "no"), ("X-Mailer", "Foxmail")]


@settings(max_examples=150, deadline=None)
@given(
    st.sampled_from(_LOUD),
    st.lists(st.sampled_from(_QUIET), max_size=6),
    st.integers(0, 6),
    st.lists(st.booleans(), min_size=30, max_size=30),
)
def test_no_answer_to_automatic_mail_whatever_case_and_order(
    loud: tuple[str, str], quiet: list[tuple[str, str]], place: int, upper: list[bool]
) -> None:
    flip: Callable[[str], str] = lambda s: "".join(  # noqa: E731
        c.upper() if up else c.lower() for c, up in zip(s, upper * 3, strict=False)
    )
    headers = list(quiet)
    headers.insert(place, (flip(loud[0]), flip(loud[1])))
    assert answer_refused(mail(headers=tuple(headers)), US)


@pytest.mark.parametrize("report", ["delivery-status", "", "feedback-report", "x"])
def test_multipart_report_is_a_bounce(report: str) -> None:
    m = mail(content_type="multipart/report", report_type=report)
    assert kind(m) is AutomaticKind.BOUNCE


def test_disposition_notification_is_a_receipt() -> None:
    m = mail(content_type="multipart/report", report_type="disposition-notification")
    assert kind(m) is AutomaticKind.READ_RECEIPT


def test_delivery_status_part_in_a_mixed_mail_is_a_bounce() -> None:
    part = Attachment("", "message/delivery-status", AttachmentKind.TEXT, 1, "", "2")
    assert kind(mail(content_type="multipart/mixed", attachments=(part,))) is AutomaticKind.BOUNCE


@pytest.mark.parametrize(
    "addr",
    [
        "mailer-daemon@qq.com",
        "postmaster@163.com",
        "mail.daemon@sina.com",
        "mailer_daemon@x.cn",
        "bounce@x.cn",
        "bounces+77@x.cn",
        "mailer-daemon",
    ],
)
def test_system_senders_are_bounces(addr: str) -> None:
    assert kind(mail(from_=(Address(addr),), attachments=(DOCX,))) is AutomaticKind.BOUNCE


def test_mailer_daemon_that_parses_as_no_address() -> None:
    m = mail(from_=(), headers=(("From", "MAILER-DAEMON"),), subject="hello")
    assert kind(m) is AutomaticKind.BOUNCE


@pytest.mark.parametrize("addr", ["nora@x.cn", "bouncer@x.cn", "norman-reply@x.cn", "noah@x.cn"])
def test_people_whose_names_look_like_roles(addr: str) -> None:
    assert answer_refused(mail(from_=(Address(addr),)), US) is None


@pytest.mark.parametrize(
    "addr",
    ["no-reply@x.cn", "noreply@x.cn", "do_not_reply@x.cn", "donotreply+1@x.cn", "noreply-oa@x.cn"],
)
def test_no_reply_is_ignored_only_when_nothing_of_a_submission_is_in_it(addr: str) -> None:
    sender = (Address(addr),)
    assert kind(mail(from_=sender, subject="帐号安全提醒")) is AutomaticKind.NO_REPLY
    for submission in (
        mail(from_=sender),
        mail(from_=sender, subject="春耕备耕", attachments=(DOCX,)),
        mail(from_=sender, subject="城川镇人民政府 春耕备耕"),
    ):
        assert judge(submission, US) is None
        assert answer_refused(submission, US)


def test_reply_to_or_return_path_of_a_role_refuses() -> None:
    assert answer_refused(mail(reply_to=(Address("noreply@x.cn"),)), US)
    assert answer_refused(mail(return_path=Address("bounces+eq=163.com@x.cn")), US)


AUTO, BOUNCE = AutomaticKind.AUTO_REPLY, AutomaticKind.BOUNCE
RECEIPT, RECALL = AutomaticKind.READ_RECEIPT, AutomaticKind.RECALL


@pytest.mark.parametrize(
    ("subject", "expected"),
    [
        ("自动回复: 政务信息报送情况提醒", AUTO),
        ("自动回复：政务信息报送情况提醒", AUTO),
        ("自动答复: x", AUTO),
        ("【自动回复】您好", AUTO),
        ("自动回复", AUTO),
        ("休假自动回复：x", AUTO),
        ("自动\u200b回复：x", AUTO),
        ("来自李四的自动回复", AUTO),
        ("Automatic reply: reminder", AUTO),
        ("Out of Office: reminder", AUTO),
        ("Auto-Reply: x", AUTO),
        ("系统退信", BOUNCE),
        ("系统退信/Systems bounce", BOUNCE),
        ("退信通知：x", BOUNCE),
        ("投递失败", BOUNCE),
        ("邮件投递失败通知", BOUNCE),
        ("未送达: x", BOUNCE),
        ("来自QQ邮箱的退信", BOUNCE),
        ("邮件退信：对方邮箱已满", BOUNCE),
        ("139邮箱系统退信", BOUNCE),
        ("网易邮箱退信通知", BOUNCE),
        ("Undeliverable: x", BOUNCE),
        ("Undelivered Mail Returned to Sender", BOUNCE),
        ("Delivery Status Notification (Failure)", BOUNCE),
        ("failure notice", BOUNCE),
        ("Returned mail: see transcript for details", BOUNCE),
        ("Mail delivery failed: returning message to sender", BOUNCE),
        ("已读: 政务信息采用情况通报", RECEIPT),
        ("未读：x", RECEIPT),
        ("已读回执：x", RECEIPT),
        ("Read: x", RECEIPT),
        ("Not read: x", RECEIPT),
        ("发信方已撤回邮件：春耕备耕工作进展顺利", RECALL),
        ("撤回: x", RECALL),
        ("Recall: x", RECALL),
    ],
)
def test_subjects_of_machines(subject: str, expected: AutomaticKind) -> None:
    assert kind(mail(subject=subject)) is expected


@pytest.mark.parametrize(
    "subject",
    [
        "自动回复系统上线运行+农牧局+张三+7622029",
        "政务服务局+12345热线自动回复功能上线+张三+7622029",
        "撤回不合格校车许可情况+教体局+王五+7622033",
        "农牧局+关于撤回《通知》的报告+张三+7622029",
        "投递失败率持续下降+邮政公司+张三+7622029",
        "外出务工人员返乡情况+就业服务中心+李四+7622040",
        "休假制度落实情况+人社局+李四+7622041",
        "退信率下降+农牧局+张三+7622029",
        "邮件退信处理情况+政务服务局+李四+7622040",
        "未读书屋建设+文化和旅游局+张三+7622029",
        "Reading campaign+教体局+张三+7622033",
        "已读书目推荐+教体局+王五+7622033",
        "Re: 回复：" + GOOD_SUBJECT,
        "转发: Fw:" + GOOD_SUBJECT,
        "",
    ],
)
def test_titles_that_contain_such_words(subject: str) -> None:
    assert answer_refused(mail(subject=subject), US) is None


def test_a_reply_to_an_automatic_reply_is_kept_and_not_answered() -> None:
    m = mail(subject="Re: 自动回复: 提醒")
    assert judge(m, US) is None
    assert answer_refused(m, US)


@pytest.mark.parametrize(
    "changes",
    [
        {"from_": (Address("eqqxxs119@163.com"),)},
        {"from_": (Address("eqqxxs119+x@163.com"),)},
        {"sender": Address("xinxi@otog.gov.cn")},
        {"reply_to": (Address("a@b.cn"), Address("eqqxxs119@163.com"))},
        {"return_path": Address("prvs=123456=eqqxxs119@163.com")},
        {"return_path": Address("srs0=ab=cd=163.com=eqqxxs119@relay.cn")},
        {"headers": (("Reply-To", "EQQXXS119@163.COM"),)},
        {"headers": (("Reply-To", '"eqqxxs119"@163.com'),)},
        {"headers": (("Sender", "eqqxxs119(x)@163.com"),)},
        {"headers": (("From", "办公室 <ｅｑｑｘｘｓ１１９＠163.com>"),)},
        {"headers": (("X-Loop", "eqqxxs119@163.com"),)},
    ],
)
def test_l3_our_own_address_in_any_dress_is_never_answered(changes: dict[str, Any]) -> None:
    m = mail(**changes)
    refused = refusal(m, US)
    assert refused is not None
    assert refused.kind is AutomaticKind.OWN
    assert judge(m, US) is None  # the office may well send itself an item it got by other ways


def test_our_address_as_recipient_is_no_loop() -> None:
    m = mail(to=(Address("eqqxxs119@163.com"),), headers=(("To", "eqqxxs119@163.com"),))
    assert answer_refused(m, US) is None


def test_our_own_letter_come_back() -> None:
    assert kind(mail(message_id=KEYED)) is AutomaticKind.OWN
    assert kind(mail(message_id="5b3fc1@163.com")) is None


def test_without_a_key_the_domain_alone_is_no_proof() -> None:
    us = Ourselves(frozenset({"eqqxxs119@163.com"}), message_id_domain="163.com")
    assert judge(mail(message_id="5b3fc1@163.com"), us) is None
    ours = mail(message_id="5b3fc1@163.com", from_=(Address("eqqxxs119@163.com"),))
    assert judge(ours, us) == Automatic(
        AutomaticKind.OWN, "Message-ID: a letter of our own come back"
    )


@pytest.mark.parametrize(
    "nested",
    [
        NestedMail("2", "回执", (), KEYED, ""),
        NestedMail("2", "回执", (), None, "", headers=(("x-mailbot-id", MARK),)),
    ],
)
def test_our_letter_inside_a_forward_is_recorded_not_answered(nested: NestedMail) -> None:
    assert judge(mail(nested=(nested,)), US) is None
    assert answer_refused(mail(nested=(nested,)), US)


@pytest.mark.parametrize("authors", [(), (Address(""),), (Address("a@b.cn"), Address("c@d.cn"))])
def test_l8_no_one_author_no_answer(authors: tuple[Address, ...]) -> None:
    m = mail(from_=authors)
    refused = refusal(m, US)
    assert judge(m, US) is None
    assert refused is not None
    assert refused.kind is AutomaticKind.NO_AUTHOR


def test_recalled_subject() -> None:
    full = "农牧局＋春耕（修改稿）＋张三"
    assert recalled_subject(mail(subject=f"发信方已撤回邮件：{full}")) == full
    assert recalled_subject(mail(subject=f"撤回: “{full}”")) == full
    assert recalled_subject(mail(subject="发信方已撤回邮件：")) is None
    assert recalled_subject(mail()) is None


def test_bounced_ids_from_everywhere_the_returned_mail_first() -> None:
    returned = Attachment(
        "", "text/rfc822-headers", AttachmentKind.TEXT, 1, "", "3",
        text="Subject: x\nMessage-ID: <in-headers@us>\nIn-Reply-To: <not-ours@qq.com>",
    )  # fmt: skip
    m = mail(
        nested=(NestedMail("2", "", (), "nested@us", ""),),
        attachments=(returned,),
        text="> Message-Id:  <in-text@us>\nsee <other@x>",
        headers=(("Original-Message-ID", "<receipt@us>"),),
        in_reply_to=("replied@us",),
        references=("old@us", "replied@us", "new@us"),
    )
    assert bounced_message_ids(m) == (
        "nested@us", "in-headers@us", "in-text@us", "receipt@us", "replied@us", "new@us", "old@us",
    )  # fmt: skip
    assert bounced_message_ids(mail()) == ()


def test_a_storm_of_ids_is_bounded() -> None:
    assert len(bounced_message_ids(mail(references=tuple(f"{i}@x" for i in range(50))))) == 20


@settings(max_examples=100, deadline=None)
@given(
    st.text(max_size=80),
    st.lists(
        st.tuples(st.sampled_from(["Auto-Submitted", "From", "Precedence"]), st.text(max_size=60))
    ),
)
def test_total_and_refuses_whatever_it_judges(subject: str, headers: list[tuple[str, str]]) -> None:
    m = mail(subject=subject, headers=tuple(headers))
    if judge(m, US) is not None:
        assert answer_refused(m, US)
