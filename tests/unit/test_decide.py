"""The order in which a mail is looked at, and what each step says.

Whole correspondences are in `tests/integration`; here each case is one mail and facts made by hand.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from mailbot.core.intake.content import content_of
from mailbot.core.intake.decide import decide
from mailbot.core.intake.lanes import is_urgent_report
from mailbot.core.intake.model import Decision, DecisionKind, Facts, Relation
from mailbot.core.letters.answers import AnswerKind
from mailbot.core.mail.authentication import AuthResult
from mailbot.core.mail.automatic import Automatic, AutomaticKind
from mailbot.core.mail.model import (
    Address,
    Attachment,
    AttachmentKind,
    CloudAttachment,
    Defect,
    DefectCode,
    IncomingMail,
    SecretsMark,
)
from mailbot.core.rules.rulebook import Elsewhere, SenderPolicy
from mailbot.core.subject.model import FieldName
from tests.integration.intake_help import ARTICLE, NOON, otog, with_policy

LINE = "农牧局+春耕备耕工作进展顺利+张三+7622029"
FILE = Attachment("春耕.docx", "x/y", AttachmentKind.WORD, 10, "f" * 64, "2")
SECRET = (SecretsMark("level-star", "body"),)
INTERNAL = (SecretsMark("internal", "body", hold_only=True),)
AUTO = Automatic(AutomaticKind.AUTO_REPLY, "Auto-Submitted")


def mail(subject: str = LINE, **more: Any) -> IncomingMail:
    values: dict[str, Any] = {
        "size": 1000,
        "sha256": "a" * 64,
        "content_key": "b" * 64,
        "subject": subject,
        "from_": (Address("a@example.com", "张三"),),
        "text": ARTICLE,
    }
    return IncomingMail(**(values | more))


def broken(*codes: DefectCode, **more: Any) -> IncomingMail:
    return mail(defects=tuple(Defect(c, "mail", "why") for c in codes), **more)


def facts(**more: Any) -> Facts:
    return Facts(**({"book": otog(), "received": NOON} | more))


def code(decision: Decision) -> str:
    return decision.reasons[0].code


# --- the order -------------------------------------------------------------------------------


EVERYTHING: dict[str, Any] = {
    "duplicate_of": 7,
    "duplicate_decision": "return",
    "automatic": AUTO,
    "answer_refused": "auto",
    "authentication": AuthResult.FAIL,
    "refused_sender": True,
}


def test_secrets_come_before_everything() -> None:
    decision = decide(
        broken(DefectCode.UNREADABLE, secrets=(*SECRET, *INTERNAL)), facts(**EVERYTHING)
    )
    assert decision.kind is DecisionKind.QUARANTINE
    assert code(decision) == "secrets"
    assert not decision.keep_content
    assert (decision.drafts, decision.reading, decision.answer) == ((), None, None)


def test_each_step_comes_before_the_next() -> None:
    known = facts(**EVERYTHING)
    one = broken(DefectCode.TOO_LARGE)
    seen = []
    for undo in (
        {"duplicate_of": None},
        {"automatic": None},
        {},
    ):
        seen.append(code(decide(one, known)))
        known = replace(known, **undo)
    assert seen == ["same_mail", "automatic:auto_reply", "too_large"]
    one = mail()
    for undo in ({"authentication": AuthResult.NONE}, {"refused_sender": False}, {}):
        seen.append(code(decide(one, known)))
        known = replace(known, **undo)
    assert seen[3:] == ["forged", "refused_sender", "complete"]


@pytest.mark.parametrize(
    ("given", "kind", "reason"),
    [
        (broken(DefectCode.UNREADABLE), "quarantine", "unreadable"),
        (broken(DefectCode.UNREADABLE, size=0), "quarantine", "unreadable"),
        (broken(DefectCode.EMPTY, size=0), "hold", "empty"),
        (broken(DefectCode.TOO_LARGE), "hold", "too_large"),
        (broken(DefectCode.PARTS_CUT), "hold", "too_complex"),
        (broken(DefectCode.DEPTH_CUT, DefectCode.TEXT_CUT), "hold", "too_complex"),
        (mail(from_=()), "hold", "no_author"),
        (mail(from_=(Address("a@x.com"), Address("b@x.com"))), "hold", "no_author"),
        (mail(secrets=INTERNAL), "hold", "internal"),
        (broken(DefectCode.CHARSET_WRONG, DefectCode.TEXT_CUT), "hold", "too_complex"),
    ],
)
def test_what_cannot_be_taken_as_it_is(given: IncomingMail, kind: str, reason: str) -> None:
    decision = decide(given, facts())
    assert (decision.kind.value, code(decision)) == (kind, reason)
    if kind != "accept":
        assert decision.task


def test_the_same_mail_again_repeats_the_decision_and_nothing_else() -> None:
    for kind in DecisionKind:
        decision = decide(mail(), facts(duplicate_of=7, duplicate_decision=kind.value))
        assert decision.kind is kind
        assert decision.links == ((Relation.DUPLICATE, 7),)
        assert (decision.answer, decision.drafts, decision.task) == (None, (), "")


@pytest.mark.parametrize("one", [broken(DefectCode.EMPTY), broken(DefectCode.UNREADABLE, size=0)])
def test_mails_of_nothing_are_not_one_mail(one: IncomingMail) -> None:
    assert code(decide(one, facts(duplicate_of=7))) != "same_mail"


def test_old_mail_from_before_the_rules() -> None:
    decision = decide(mail(), facts(received=NOON.replace(year=2021)))
    assert (decision.kind, code(decision)) == (DecisionKind.HOLD, "no_rule")
    assert (decision.answer, decision.task) == (None, "")


# --- the submission --------------------------------------------------------------------------


def test_a_complete_submission() -> None:
    decision = decide(mail(), facts())
    assert decision.kind is DecisionKind.ACCEPT
    assert decision.answer is AnswerKind.ACKNOWLEDGEMENT
    (draft,) = decision.drafts
    assert set(draft.flags) >= {"first_address", "unverified"}
    assert decision.propose_binding
    known = decide(mail(), facts(known_sender=True, authentication=AuthResult.PASS))
    assert not {"first_address", "unverified"} & set(known.drafts[0].flags)
    assert (known.task, known.propose_binding) == ("", False)


@pytest.mark.parametrize("flag", ["encrypted", "macro", "in_part"])
def test_a_file_to_be_wary_of_is_registered_and_shown_to_a_person(flag: str) -> None:
    known: dict[str, Any] = {"known_sender": True, "authentication": AuthResult.PASS}
    wary = replace(FILE, flags=(flag,))
    decision = decide(mail(attachments=(wary,)), facts(**known))
    assert decision.kind is DecisionKind.ACCEPT
    assert flag in decision.drafts[0].flags
    assert "附件" in decision.task
    assert decide(mail(attachments=(FILE,)), facts(**known)).task == ""


def test_every_fault_at_once() -> None:
    decision = decide(
        mail("不存在的科技局+春耕备耕工作进展十分顺利", text="", from_=(Address("a@example.com"),)),
        facts(known_sender=True),
    )
    assert decision.kind is DecisionKind.RETURN
    codes = [p.code.value for p in decision.problems]
    assert {"submitter_missing", "contact_missing", "content_missing"} <= set(codes)
    assert len(codes) == len(set(codes))
    assert [r.code for r in decision.reasons] == codes


def test_fields_in_the_body_only_suggest_where_the_office_says_so() -> None:
    body = ARTICLE + "\n报送人：张三\n联系电话：7622029"
    one = mail("农牧局+春耕备耕工作进展顺利", text=body)
    strict = decide(one, facts())
    assert strict.kind is DecisionKind.RETURN
    assert set(strict.missing) == {FieldName.SUBMITTER, FieldName.CONTACT}
    assert {p.code.value for p in strict.problems} == {"fields_elsewhere"}
    book = otog()
    lax = replace(
        book,
        conventions=tuple(replace(c, elsewhere=Elsewhere.ACCEPT) for c in book.conventions),
    )
    assert decide(one, facts(book=lax)).kind is DecisionKind.ACCEPT


def test_a_cloud_link_is_an_attachment_that_is_not_there() -> None:
    link = (CloudAttachment("wx.mail.qq.com", "春耕.docx"),)
    gone = decide(mail(text="见超大附件", cloud_attachments=link), facts())
    assert {p.code.value for p in gone.problems} == {"cloud_attachment"}
    both = decide(mail(cloud_attachments=link, attachments=(FILE,)), facts())
    assert both.kind is DecisionKind.ACCEPT
    assert any("超大附件" in w for w in both.warnings)


def test_the_gate_refuses_the_answer_and_never_the_submission() -> None:
    for one, kind in ((mail(), DecisionKind.ACCEPT), (mail("农牧局+春耕"), DecisionKind.RETURN)):
        decision = decide(one, facts(answer_refused="List-Id"))
        assert decision.kind is kind
        assert decision.drafts
        assert decision.answer is None
        assert "List-Id" in decision.no_answer


@pytest.mark.parametrize(
    ("policy", "bound", "kind", "answer"),
    [
        (SenderPolicy.OPEN, None, "accept", AnswerKind.ACKNOWLEDGEMENT),
        (SenderPolicy.BOUND, None, "hold", AnswerKind.PENDING),
        (SenderPolicy.CLOSED, None, "hold", None),
        (SenderPolicy.BOUND, "agriculture", "accept", AnswerKind.ACKNOWLEDGEMENT),
        (SenderPolicy.CLOSED, "agriculture", "accept", AnswerKind.ACKNOWLEDGEMENT),
        (SenderPolicy.OPEN, "water", "hold", AnswerKind.PENDING),
    ],
)
def test_sender_policies(
    policy: SenderPolicy, bound: str | None, kind: str, answer: AnswerKind | None
) -> None:
    decision = decide(mail(), facts(book=with_policy(otog(), policy), bound_unit=bound))
    assert (decision.kind.value, decision.answer) == (kind, answer)
    accepted_before = facts(book=with_policy(otog(), policy), bound_unit=bound, known_sender=True)
    assert decide(mail(), accepted_before).kind.value == kind, "only a person binds"


@pytest.mark.parametrize(
    "one",
    [
        mail("您好", text="请问几点上班"),
        mail("中奖通知", text="http://x.top"),
        mail("", text=""),
        mail("内部资料", text="内部资料", secrets=INTERNAL),
    ],
)
def test_strangers_with_nothing_of_a_submission_hear_nothing(one: IncomingMail) -> None:
    decision = decide(one, facts())
    assert decision.kind is DecisionKind.HOLD
    assert (decision.answer, decision.drafts) == (None, ())
    assert decision.task


def test_a_recall_names_its_item_and_a_forged_one_none() -> None:
    from tests.unit.test_lifecycle import recorded

    notice = Automatic(AutomaticKind.RECALL, "Subject")
    known = facts(automatic=notice, answer_refused="x", thread=(recorded(3, "accepted"),))
    decision = decide(mail("发信方已撤回邮件：" + LINE), known)
    assert decision.kind is DecisionKind.IGNORE
    assert decision.item_links == ((Relation.RECALL, 3),)
    forged = replace(known, authentication=AuthResult.FAIL)
    assert decide(mail("发信方已撤回邮件：" + LINE), forged).item_links == ()


def test_two_parts_of_a_mail_never_take_the_same_item() -> None:
    from tests.unit.test_lifecycle import recorded

    twin = recorded(1, title="工作动态")
    one = mail(
        "农牧局+1.工作动态 2.工作动态+张三+7622029",
        attachments=(
            replace(FILE, name="工作动态.docx"),
            replace(FILE, name="工作动态.docx", sha256="e" * 64, path="3"),
        ),
    )
    decision = decide(one, facts(of_sender=(twin,), thread=(twin,)))
    targets = [d.target.id for d in decision.drafts if d.target]
    assert len(targets) == len(set(targets)) <= 1


# --- the urgent lane -------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("subject", "text", "names", "urgent"),
    [
        ("应急局要情专报", "", (), True),
        ("应急局要情专报（紧急）", "", (), True),
        ("应急局—要情专报—某水库险情", "", (), True),
        ("【要情专报】某水库险情", "", (), True),
        ("应急局要情专报续报", "", (), True),
        ("转发：应急局要情专报", "", (), True),
        ("某水库险情", "", ("应急局要情专报.docx",), True),
        ("某水库险情", "应急局要情专报\n险情……", (), True),
        ("某水库险情", "险情……\n应急局要情专报", (), False),
        ("关于报送要情专报的通知", "", (), False),
        ("要情专报工作制度", "", (), False),
        ("市专报采用情况", "", (), False),
        ("专报", "", (), False),
        ("", "", (), False),
    ],
)
def test_what_is_an_urgent_report(
    subject: str, text: str, names: tuple[str, ...], urgent: bool
) -> None:
    files = tuple(replace(FILE, name=n) for n in names)
    one = mail(subject, text=text, attachments=files)
    assert is_urgent_report(one, content_of(one)) is urgent


def test_an_urgent_report_names_its_gaps_in_the_acknowledgement() -> None:
    book = replace(otog(), info=replace(otog().info, urgent_lane=True))
    closed = with_policy(book, SenderPolicy.CLOSED)
    decision = decide(mail("要情专报", text=""), facts(book=closed))
    assert (decision.kind, decision.lane) == (DecisionKind.ACCEPT, "urgent")
    assert decision.answer is AnswerKind.ACKNOWLEDGEMENT
    assert any("缺报送单位" in w and "缺联系方式" in w for w in decision.warnings)
    assert "first_address" in decision.drafts[0].flags
    old = decide(mail("要情专报"), facts(book=closed, received=NOON - timedelta(days=3000)))
    assert code(old) == "no_rule"
