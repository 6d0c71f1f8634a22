"""Rows K0 to K5, K9 and K10 of the fault table: killed at one named moment, looked at while dead,
started again."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tests.crash.bed import Bed, Installation, State, Zygote, five_mails
from tests.crash.sweep import finish, sweep, uninterrupted
from tests.servers.dovecot import Dovecot, Profile
from tests.servers.picky_proxy import PickyProxy
from tests.servers.smtp_sink import free_port

pytestmark = pytest.mark.dovecot


@pytest.fixture(scope="module")
def wanted(bed: Bed) -> State:
    return uninterrupted(bed)[0]


@pytest.fixture
def run(bed: Bed) -> Iterator[Installation]:
    with bed.once() as made:
        yield made


def killed(run: Installation, match: str, nth: int = 1, **more: Any) -> str:
    ended = run.run(match=match, nth=nth, **more)
    assert ended.code == -9, ended.said
    return ended.died


def in_archive(run: Installation) -> list[str]:
    return sorted(p.name for p in (run.folder / "data" / "archive").rglob("*.eml"))


def unfinished(run: Installation) -> list[Path]:
    return list((run.folder / "data" / "archive" / "tmp").iterdir())


def same_end(run: Installation, wanted: State) -> None:
    ended = finish(run)
    assert ended.code == 0, ended.said
    assert wanted.differences(run.state()) == []
    assert set(wanted.letters.values()) == {1}
    assert run.states() == {"sent": 6}


def test_the_five_mails_are_what_they_are_meant_to_be(bed: Bed, run: Installation) -> None:
    assert run.run().code == 0
    assert run.rows("select decision from inbound where id > 1 order by uid") == [
        ("accept",),
        ("return",),
        ("accept",),
        ("hold",),
        ("accept",),
    ]
    assert run.rows("select lane from item order by id")[-1] == ("urgent",)
    assert run.rows("select count(*) from item_version where no = 2") == [(1,)]
    assert run.states() == {"sent": 6}
    assert sorted(run.state().mailbox) == sorted(
        [".Sent", ".&XfJlNg-", ".&XfKQAA-", ".&X4VoOA-"]  # 已收 已退 待核
    )


def test_k0_fetched_but_not_archived(run: Installation, wanted: State) -> None:
    killed(run, r"before pipe write")
    assert run.rows("select distinct state, sha256 from inbound where id > 1") == [("new", "")]
    assert len(in_archive(run)) == 1, "the earlier one"
    same_end(run, wanted)


@pytest.mark.parametrize("nth", [1, 5])
def test_k1_written_and_fsynced_but_not_renamed(run: Installation, wanted: State, nth: int) -> None:
    killed(run, r"after fsync archive/tmp/", nth)
    assert len(in_archive(run)) == 1, "the earlier one"
    assert len(unfinished(run)) == 5
    same_end(run, wanted)
    assert unfinished(run) == [], "swept at the start"
    assert len(in_archive(run)) == 6


@pytest.mark.parametrize("nth", [1, 5])
def test_k2_renamed_but_not_in_the_database(run: Installation, wanted: State, nth: int) -> None:
    killed(run, r"after replace archive/tmp/", nth)
    assert len(in_archive(run)) == 1 + nth
    assert run.rows("select count(*) from mail where inbound_id > 1") == [(0,)]
    same_end(run, wanted)
    assert len(in_archive(run)) == 6, "adopted by their hash"


@pytest.mark.parametrize(
    "where", ["after write item", "after write outbox", "before commit .*item"]
)
def test_k3_inside_the_transaction(run: Installation, wanted: State, where: str) -> None:
    killed(run, rf"^{where}")
    for table in ("item", "item_version", "decision", "mail", "task"):
        assert run.rows(f"select count(*) from {table}") == [(1,)], "the earlier mail's"
    assert run.states() == {"sent": 1}
    same_end(run, wanted)


def test_k4_committed_but_not_moved(run: Installation, wanted: State) -> None:
    killed(run, r"after commit .*\bitem\b")
    assert run.rows("select distinct state from inbound where id > 1") == [("decided",)]
    assert sum(run.state().mailbox["INBOX"].values()) == 5
    same_end(run, wanted)


@pytest.mark.parametrize("when", ["ready", "claimed"])
def test_k5_queued_but_not_sent(bed: Bed, run: Installation, wanted: State, when: str) -> None:
    """Same Message-ID and same bytes: the letters of the end are compared by both."""
    if when == "ready":
        killed(run, r"after commit inbound$", 3)  # searched, struck, settled in the mailbox
        assert run.states() == {"ready": 5, "sent": 1}
    else:
        killed(run, rf"before connect {bed.server.port}$")
        assert run.states() == {"sending": 1, "ready": 4, "sent": 1}
    assert bed.server.letters == []
    same_end(run, wanted)


def test_k9_sent_but_not_moved(bed: Bed, run: Installation, wanted: State) -> None:
    """The mailbox cannot be reached for a while, and the answers go out all the same."""
    killed(run, r"after commit .*\bitem\b")
    run.environment["MAILBOT_MAILBOXES__OTOG__IMAP__PORT"] = str(free_port())
    killed(run, r"before send \d+ MAIL", 3)
    assert run.states()["sent"] == 3
    assert sum(run.state().mailbox["INBOX"].values()) == 5
    run.environment.clear()
    sent = run.taken()
    same_end(run, wanted)
    assert run.taken()[:2] == sent


# --- K10 ---------------------------------------------------------------------------------------


def without_copies(state: State) -> State:
    """A server without MOVE is told COPY, STORE, EXPUNGE. Killed between the first two, the target
    gets a second copy; killed between the last two, the mail stays in the inbox marked as deleted,
    because that mark may as well be a person's. Neither is lost, looked at again or answered."""
    mailbox = {name: dict(mails) for name, mails in state.mailbox.items()}
    elsewhere = {d for name, mails in mailbox.items() if name != "INBOX" for d, _ in mails}
    for name, mails in mailbox.items():
        for (digest, flags), number in list(mails.items()):
            if name == "INBOX" and "T" in flags and digest in elsewhere:
                del mails[digest, flags]
            elif name not in ("INBOX", ".Sent") and number == 2:
                mails[digest, flags] = 1
    return replace(state, mailbox={name: mails for name, mails in mailbox.items() if mails})


def moving(labels: tuple[str, ...]) -> list[int]:
    """The points of the emulated move, and those around it."""
    words = ("UID COPY", "UID STORE", "UID EXPUNGE", "CREATE", "FLAGS")
    return [
        n
        for n, label in enumerate(labels, 1)
        if label.startswith("before") and any(word in label for word in words)
    ]


def test_k10_inside_a_move_without_the_move_command(
    dovecots: Callable[[Profile], Dovecot], tmp_path: Path, zygote: Zygote
) -> None:
    """COPY, STORE and UID EXPUNGE (UIDPLUS), at every one of their steps, for one mail."""
    with Bed(dovecots("no-move"), tmp_path, zygote, mails=five_mails()[:1]) as bed:
        wanted, labels = uninterrupted(bed)
        assert "INBOX" not in wanted.mailbox
        points = [n for n in moving(labels) if re.search("COPY|Deleted|EXPUNGE", labels[n - 1])]
        tally = sweep(bed, wanted, labels, points, ease=without_copies)
    print(f"\nK10, COPY + STORE + EXPUNGE: {tally}")
    assert tally.faults == []
    assert tally.survived == tally.tried >= 6


@pytest.mark.long
def test_k10_inside_a_move_of_a_server_like_neteases(
    dovecots: Callable[[Profile], Dovecot], tmp_path: Path, zygote: Zygote
) -> None:
    """No MOVE and no UIDPLUS: COPY and STORE, for all five mails."""
    server = dovecots("full")
    with (
        PickyProxy((server.host, server.imap_port)) as proxy,
        Bed(server, tmp_path, zygote, port=proxy.port) as bed,
    ):
        wanted, labels = uninterrupted(bed)
        assert all("T" in flags for _, flags in wanted.mailbox["INBOX"]), "marked as deleted"
        tally = sweep(bed, wanted, labels, moving(labels), ease=without_copies)
    print(f"\nK10, COPY + STORE: {tally}")
    assert tally.faults == []
    assert tally.survived == tally.tried > 25
