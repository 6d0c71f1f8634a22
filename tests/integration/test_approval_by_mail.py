"""A draft approved or rejected by replying to the mail that brought it: by whom, once, and finished
by the next process when the first one died."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from mailbot.adapters.system import SHANGHAI
from mailbot.app.answers import Answering
from mailbot.app.errors import Fault, OperatorFault, Permanent
from mailbot.app.letter_records import DraftRow, DraftState
from mailbot.app.notices.approval import Approval
from mailbot.app.scoring import NotScored
from mailbot.app.settle import Settled
from mailbot.core.duties.model import LetterBook
from mailbot.core.rules.periods import Period
from mailbot.core.rules.rulebook import OfficeBook
from tests.integration.intake_help import item, letter, otog
from tests.integration.notice_help import CIRCULAR
from tests.integration.service_help import LIAISON, Service, parsed, text_of

BOSS, SECOND = "boss@example.org", "second@example.org"
Q3 = Period.parse("2026-Q3")
OCTOBER = datetime(2026, 10, 12, 9, 0, tzinfo=SHANGHAI)
RULE = replace(CIRCULAR, own=(), basis=otog().conventions[0].basis)
NUMBER = "鄂前政办通〔2026〕12号"


def book() -> OfficeBook:
    letters = LetterBook(
        (RULE,), staff=("staff@example.org",), approvers=("Boss@Example.org", SECOND)
    )
    return replace(otog(), letters=letters)


class Desk(Service):
    """With a draft of the third quarter that waits."""

    def __init__(self, root: Path, **more: Any) -> None:
        super().__init__(root, book(), **more)
        self.clock.time = datetime(2026, 8, 12, 12, 0, tzinfo=SHANGHAI)
        more_mail = {"Authentication_Results": PASSED} if more.get("authserv_ids") else {}
        self.world.receive(item("春耕备耕工作进展顺利", sender=LIAISON, **more_mail))
        self.clock.time = OCTOBER
        self.drafted = self.world.approval.draft("otog", "quarter", Q3, "王芳芳", OCTOBER)

    def draft_mail(self, to: str = BOSS, number: int = 1) -> Any:
        """The newest mail that brought the draft to the address."""
        found = [x for x in self.world.sent() if x.kind == "draft" and x.recipient == to]
        return [x for x in found if f"第{number}号草稿" in x.subject][-1]

    def reply(
        self, body: str, sender: str = BOSS, to: str | None = None, number: int = 1, **more: Any
    ) -> Settled:
        """A reply to the draft mail that `to` got, quoting it."""
        first = self.draft_mail(to or sender, number)
        quoted = "\n".join(f"> {line}" for line in text_of(first.raw).splitlines())
        self.count = getattr(self, "count", 0) + 1
        headers = {"In_Reply_To": f"<{first.message_id}>", "References": f"<{first.message_id}>"}
        return self.world.receive(
            letter(
                more.pop("subject", f"答复：{first.subject}"),
                f"{body}\n\n在 2026年10月12日，信息室 <xinxi@example.org> 写道：\n{quoted}\n",
                sender=sender,
                message_id=f"r{self.count}@example.org",
                **headers,
                **more,
            )
        )

    def row(self, number: int = 1) -> DraftRow:
        with self.world.store.reading() as reads:
            found = reads.draft(number)
        assert found is not None
        return found

    def last(self) -> str:
        """The text of the newest answer to a command."""
        return text_of([x for x in self.world.sent() if x.kind == "service"][-1].raw)

    def notices(self) -> int:
        kinds = [kind for kind, _, _ in self.world.letters()]
        return kinds.count("cover") + kinds.count("reader")


PASSED = "mx.example.org; dmarc=pass header.from=example.org"


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk(tmp_path)


def test_a_reply_approves_seals_and_sends(desk: Desk) -> None:
    settled = desk.reply(f"批准 {NUMBER}\n2026年10月13日\n\n王甲")
    assert (settled.kind, settled.items) == ("command", ())
    row = desk.row()
    assert (row.state, row.number) == (DraftState.SENT, NUMBER)
    assert row.issued is not None and row.issued.day == 13
    assert row.decided_by == f"{BOSS}（回信 mail:{settled.inbound_id}）"
    with desk.world.store.reading() as reads:
        (seal,) = reads.seals("otog")
    assert seal.period == Q3
    said = desk.last()
    assert "成文日期：2026年10月13日" in said
    assert "已按您的回复批准" in said and NUMBER in said and "2026年第三季度的计分已封存" in said
    mail = [x for x in desk.world.sent() if x.kind == "service"][-1]
    assert mail.recipient == BOSS and parsed(mail.raw)["In-Reply-To"]


def test_a18_a_code_is_good_once(desk: Desk) -> None:
    desk.reply("批准")
    assert "没有发文字号" in desk.last()
    sent = desk.notices()
    desk.reply("批准")
    assert "已经用过" in desk.last() and desk.notices() == sent
    desk.reply("退回 有误", SECOND)  # a code of its own, but the draft is decided
    assert "已发送" in desk.last() and desk.row().state is DraftState.SENT


def test_a_reply_rejects_with_its_reason(desk: Desk) -> None:
    desk.reply("退回：税务局条数有误，应为12条。")
    row = desk.row()
    assert (row.state, row.why) == (DraftState.REJECTED, "税务局条数有误，应为12条。")
    assert "已按您的回复退回" in desk.last() and "税务局条数有误" in desk.last()
    assert desk.notices() == 0


@pytest.mark.parametrize(
    ("body", "told"),
    [
        ("批准，但第二段请改", "不能确定是否批准"),
        ("退回", "没有写退回的理由"),
        ("批准 2026年13月1日", "不能确定是否批准"),
    ],
)
def test_what_is_not_clear_is_not_done_and_may_be_said_again(
    desk: Desk, body: str, told: str
) -> None:
    desk.reply(body)
    assert told in desk.last() and desk.row().state is DraftState.DRAFT
    desk.reply("批准")
    assert desk.row().state is DraftState.SENT


def test_a_number_in_use_does_not_use_up_the_code(desk: Desk) -> None:
    other = Period.parse("2026-Q2")
    draft = desk.world.approval.draft("otog", "quarter", other, "王芳芳", OCTOBER)
    desk.world.approval.approve(draft.id, "王芳芳", OCTOBER, number=NUMBER)
    desk.world.approval.draft("otog", "quarter", Q3, "王芳芳", OCTOBER)  # the sealing changed it
    desk.reply(f"批准 {NUMBER}", number=3)
    assert "已用于第 2 号草稿" in desk.last() and desk.row(3).state is DraftState.DRAFT
    desk.reply("批准 鄂前政办通〔2026〕13号", number=3)
    assert desk.row(3).number == "鄂前政办通〔2026〕13号"


def test_a_stale_draft_is_not_approved_and_a_new_one_comes(desk: Desk) -> None:
    with desk.world.store.reading() as reads:
        receipt = reads.unit_items("otog", "agriculture", Q3.first, Q3.last)[0].receipt
    desk.adopt(receipt, day="2026-09-11")
    desk.reply("批准")
    assert desk.row().state is DraftState.SUPERSEDED and desk.row(2).state is DraftState.DRAFT
    assert "重新起草为第 2 号" in desk.last()
    desk.reply("批准", number=2)
    assert desk.row(2).state is DraftState.SENT


def test_a18_only_from_the_address_it_was_made_for(desk: Desk) -> None:
    desk.reply("批准", sender=SECOND, to=BOSS)
    assert "审批码不对" in desk.last() and desk.row().state is DraftState.DRAFT
    stranger = desk.reply("批准", sender="staff2@example.org", to=BOSS)
    assert (stranger.kind, stranger.answer.letter) == ("hold", None)
    assert any("不在批准人名单" in text for _, text in desk.open_tasks())
    bound = desk.reply("批准", sender=LIAISON, to=BOSS)
    assert (bound.kind, bound.answer.letter) == ("hold", None)
    assert desk.row().state is DraftState.DRAFT


def test_a18_wrong_codes_are_answered_without_detail_and_only_a_few_times(desk: Desk) -> None:
    kinds = []
    for n in range(7):
        subject = f"Re: [审批码 ABCD-EF{'ABCDEFGH'[n]}2]"
        kinds.append(desk.reply("批准", subject=subject).answer)
        assert desk.row().state is DraftState.DRAFT
    assert [a.letter is not None for a in kinds[:3]] == [True] * 3
    assert kinds[-1].letter is None and kinds[-1].none == "ruling_doubted"
    assert "第1号草稿" not in desk.last() and "notices" not in desk.last()
    held = desk.reply("批准")  # even the right one now
    assert held.kind == "hold" and desk.row().state is DraftState.DRAFT
    desk.clock.time += timedelta(days=1)
    desk.reply("批准")
    assert desk.row().state is DraftState.SENT


def test_an_approvers_own_item_is_an_item(desk: Desk) -> None:
    """Its text opens with 批准, and a number in it looks like a code."""
    line = "农牧局+牧区饮水工程获批+张三+13900000000"
    text = "批准牧区饮水工程立项。联系电话 7622-2293。" + "工程惠及群众，管护制度同步建立。" * 9
    settled = desk.world.receive(letter(line, text, sender=BOSS))
    assert settled.kind == "accept" and len(settled.items) == 1


def test_a18_an_expired_code(desk: Desk) -> None:
    desk.clock.time += timedelta(days=31)
    desk.reply("批准")
    assert "已经过期" in desk.last() and desk.row().state is DraftState.DRAFT


def test_a_code_used_late_but_sent_in_time_counts(desk: Desk) -> None:
    first = desk.draft_mail()
    raw = letter(f"Re: {first.subject}", "批准", sender=BOSS, message_id="late@example.org")
    desk.world.box.put(raw, OCTOBER + timedelta(days=29))
    desk.clock.time = OCTOBER + timedelta(days=33)  # it was down for four days
    desk.world.run()
    assert desk.row().state is DraftState.SENT


@pytest.mark.parametrize(
    ("header", "state"),
    [
        (PASSED, DraftState.SENT),
        ("mx.example.org; dmarc=fail header.from=example.org", DraftState.DRAFT),
        ("mx.example.org; none", DraftState.DRAFT),
        ("", DraftState.DRAFT),
    ],
)
def test_a18_where_it_can_be_verified_it_must_be(
    tmp_path: Path, header: str, state: DraftState
) -> None:
    desk = Desk(tmp_path, authserv_ids=frozenset({"mx.example.org"}))
    settled = desk.reply("批准", **({"Authentication_Results": header} if header else {}))
    assert desk.row().state is state
    if state is DraftState.DRAFT:
        assert (settled.kind, settled.answer.letter) == ("hold", None)


def test_a18_a_machines_reply_approves_nothing(desk: Desk) -> None:
    settled = desk.reply("批准", Precedence="bulk")
    assert (settled.kind, desk.row().state) == ("hold", DraftState.DRAFT)
    settled = desk.reply("批准", Auto_Submitted="auto-replied")
    assert (settled.kind, desk.row().state) == ("ignore", DraftState.DRAFT)


def test_another_reply_to_a_draft_waits_for_a_person(desk: Desk) -> None:
    """And its sender is told what to write: he may have meant it as a verdict."""
    settled = desk.reply("税务局的数对吗？")
    assert settled.kind == "command" and settled.answer.rendered is not None
    said = settled.answer.rendered.text
    assert "税务局的数对吗" in said and "第一行写“批准”" in said and "没有作废" in said
    assert desk.row().state is DraftState.DRAFT
    assert "既没有写“批准”也没有写“退回”" in settled.decision.task
    assert desk.reply("批准").kind == "command"
    assert desk.row().state is DraftState.SENT
    assert desk.reply("谢谢。").kind != "command"  # its code is used up, and nothing was asked


# --- the process dies


def broken(*_: Any, **__: Any) -> Any:
    raise Permanent("disk gone", systemic=True)


def test_a_process_that_died_before_approving_is_made_up_for(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(Approval, "approve", broken)
        with pytest.raises(Permanent):
            desk.reply("批准")
    assert desk.row().state is DraftState.DRAFT
    desk.world.orders = desk.world.new_orders()
    desk.world.run()
    assert desk.row().state is DraftState.SENT and "已按您的回复批准" in desk.last()
    done = desk.world.letters()
    desk.world.orders = desk.world.new_orders()
    desk.world.run()
    assert desk.world.letters() == done


@pytest.mark.parametrize("stage", ["send", "answer"])
def test_between_approving_sending_and_answering(
    desk: Desk, monkeypatch: pytest.MonkeyPatch, stage: str
) -> None:
    target = (Approval, "send") if stage == "send" else (Answering, "service")
    with monkeypatch.context() as patch:
        patch.setattr(*target, broken)
        with pytest.raises(Permanent):
            desk.reply("批准")
    assert desk.row().state is (DraftState.APPROVED if stage == "send" else DraftState.SENT)
    desk.world.orders = desk.world.new_orders()
    desk.world.run()
    assert desk.row().state is DraftState.SENT
    said = desk.last()
    assert "已按您的回复批准" in said and "计分已封存" in said
    keys = [r[0] for r in desk.world.rows("select key from outbox")]
    assert len(keys) == len(set(keys))
    assert [k for k, _, _ in desk.world.letters()].count("service") == 1


def test_what_fails_for_now_is_tried_in_the_next_pass(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    def template(*_: Any, **__: Any) -> Any:
        raise OperatorFault(Fault("cover.txt.j2", "broken", "mend it"))

    with monkeypatch.context() as patch:
        patch.setattr(Approval, "send", template)
        desk.reply("批准")
    assert desk.row().state is DraftState.APPROVED
    desk.world.run()
    assert desk.row().state is DraftState.SENT and "已按您的回复批准" in desk.last()


def test_a_bug_is_told_once_and_keeps_nothing_waiting(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    def bug(*_: Any, **__: Any) -> Any:
        raise ZeroDivisionError

    with monkeypatch.context() as patch:
        patch.setattr(Approval, "approve", bug)
        desk.reply("批准")
        desk.world.run()
    assert [kind for kind, _ in desk.open_tasks()].count("order") == 1
    assert desk.ask("查询").kind == "command"


def test_what_cannot_be_sealed_is_told(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: Any, **__: Any) -> Any:
        raise NotScored("earlier_open", "2026-Q3", "2026-Q2")

    monkeypatch.setattr(Approval, "approve", refuse)
    desk.reply("批准")
    assert "2026-Q2" in desk.last() and "mailbot notices approve 1" in desk.last()
