"""The Maildir source on a real directory tree: as an MTA, a mail program and a person leave it."""

from __future__ import annotations

import errno
import logging
import os
import threading
from datetime import UTC, datetime
from pathlib import Path

import pytest

from mailbot.adapters.fetching import HEADER_CAP
from mailbot.adapters.maildir import MaildirSource
from mailbot.adapters.system import SystemClock
from mailbot.app.errors import OperatorFault, Permanent, Retryable, Unfetched
from mailbot.app.records import Disposition, Envelope, Fetched, FolderState, Origin

CAP = 20 << 20
MOMENT = datetime(2026, 7, 31, 16, 30, 5, tzinfo=UTC)


def mail(subject: str, size: int = 0) -> bytes:
    return f"Subject: {subject}\n\n{'x' * size}\n".encode()


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return make(tmp_path / "Maildir")


def make(home: Path) -> Path:
    for part in ("tmp", "new", "cur"):
        (home / part).mkdir(parents=True)
    return home


def put(home: Path, name: str, raw: bytes, part: str = "new") -> Path:
    file = home / part / name
    file.write_bytes(raw)
    os.utime(file, (MOMENT.timestamp(), MOMENT.timestamp()))
    return file


def source(root: Path, *folders: str, **moves: str) -> MaildirSource:
    return MaildirSource("demo", root, folders or ("INBOX",), clock=SystemClock(), moves=moves)


def only(box: MaildirSource) -> FolderState:
    (state,) = box.search()
    return state


def envelopes(box: MaildirSource) -> list[Envelope]:
    return [e for state in list(box.search()) for e in box.envelopes(state, state.uids)]


def everything(box: MaildirSource, cap: int = CAP) -> list[Fetched]:
    return list(box.fetch(envelopes(box), cap))


def names(home: Path, part: str = "cur") -> list[str]:
    return sorted(file.name for file in (home / part).iterdir())


def test_reads_new_and_cur_without_touching_them(root: Path) -> None:
    put(root, "1.M1P1.host", mail("a"))
    put(root, "2.M2P2.host:2,RS", mail("b"), "cur")
    before = sorted(root.rglob("*"))
    fetched = everything(source(root))
    assert {f.raw for f in fetched} == {mail("a"), mail("b")}
    assert {f.envelope.size for f in fetched} == {len(mail("a"))}
    assert all(f.envelope.received == MOMENT for f in fetched)
    assert fetched[0].envelope.received.isoformat() == "2026-08-01T00:30:05+08:00"
    assert sorted(root.rglob("*")) == before


def test_uids_are_63_bit_stable_and_one_per_mail(root: Path) -> None:
    for n in range(300):
        put(root, f"17{n}.M{n}P1.host", mail(str(n)))
    first = only(source(root))
    assert first.uidvalidity == 1
    assert len(set(first.uids)) == 300
    assert all(0 < uid < 2**63 for uid in first.uids)
    assert only(source(root)) == first


def test_a_mail_keeps_its_uid_when_a_mail_program_shows_it(root: Path) -> None:
    file = put(root, "1.M1P1.host,S=12", mail("a"))
    box = source(root)
    (envelope,) = envelopes(box)
    file.rename(root / "cur" / "1.M1P1.host,S=12:2,")
    assert [f.raw for f in box.fetch([envelope], CAP)] == [mail("a")]
    (root / "cur" / "1.M1P1.host,S=12:2,").rename(root / "cur" / "1.M1P1.host,S=12:2,FS")
    assert [f.raw for f in box.fetch([envelope], CAP)] == [mail("a")]
    assert only(box).uids == [envelope.origin.uid]


def test_a_restart_finds_registered_mail_without_a_search(root: Path) -> None:
    put(root, "1.M1P1.host", mail("a"))
    (envelope,) = envelopes(source(root))
    assert [f.raw for f in source(root).fetch([envelope], CAP)] == [mail("a")]


def test_a_mail_that_vanished_has_no_bytes(root: Path) -> None:
    file = put(root, "1.M1P1.host", mail("a"))
    box = source(root)
    found = envelopes(box)
    file.unlink()
    assert [f.raw for f in box.fetch(found, CAP)] == [None]
    assert list(box.envelopes(FolderState("INBOX", 1, []), [found[0].origin.uid])) == []
    box.settle(found[0].origin, Disposition.ACCEPTED)


def test_what_is_no_mail_is_not_read(root: Path, tmp_path: Path) -> None:
    put(root, ".hidden", mail("no"))
    (root / "new" / "directory").mkdir()
    (tmp_path / "secret").write_bytes(b"not a mail")
    (root / "new" / "link").symlink_to(tmp_path / "secret")
    os.mkfifo(root / "new" / "fifo")
    put(root, "tmp.1", mail("unfinished"), "tmp")
    assert only(source(root)).uids == []


@pytest.mark.parametrize("name", ["信息 1.eml", "a b;c", "x" * 200])
def test_any_file_name_will_do(root: Path, name: str) -> None:
    put(root, name, mail("a"))
    box = source(root)
    (fetched,) = everything(box)
    assert fetched.raw == mail("a")
    box.settle(fetched.envelope.origin, Disposition.ACCEPTED)
    assert names(root) == [f"{name}:2,S"]


def test_file_names_in_gbk_will_do(root: Path) -> None:
    odd = os.fsdecode("信息.eml".encode("gb18030"))
    put(root, odd, mail("a"))
    assert [f.raw for f in everything(source(root))] == [mail("a")]


@pytest.mark.parametrize("raw", [b"", b"\n", b"\x00\xff", b"A: b\r\n\r\nc\r\n"])
def test_bytes_come_as_they_are(root: Path, raw: bytes) -> None:
    put(root, "1", raw)
    (fetched,) = everything(source(root))
    assert (fetched.raw, fetched.complete) == (raw, True)


def test_over_the_cap_only_the_header_section_comes(root: Path) -> None:
    put(root, "1", mail("over", 1000))
    put(root, "2", b"X: " + b"y" * (2 * HEADER_CAP))
    put(root, "3", mail("under"))
    by_size = sorted(everything(source(root), cap=500), key=lambda f: f.envelope.size)
    assert [f.complete for f in by_size] == [True, False, False]
    assert by_size[1].raw == b"Subject: over\n\n"
    assert len(by_size[2].raw or b"") == HEADER_CAP


def test_a_file_still_being_written_is_left_for_later(root: Path) -> None:
    file = put(root, "1", b"Subject: a\n")
    put(root, "2", mail("b"))
    box = source(root)
    found = envelopes(box)
    file.write_bytes(mail("a", 100))
    taken = []
    with pytest.raises(Unfetched) as caught:
        for fetched in box.fetch(found, CAP):
            taken.append(fetched.raw)
    assert taken == [mail("b")]
    assert not caught.value.systemic
    assert len(caught.value.origins) == 1
    assert {f.raw for f in everything(box)} == {mail("a", 100), mail("b")}


def test_an_unreadable_file_does_not_stop_the_others(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(root, "locked", mail("a"))
    put(root, "open", mail("b"))
    honest = Path.open

    def refusing(self: Path, *args: str) -> object:
        if self.name == "locked":
            raise PermissionError(errno.EACCES, "Permission denied")
        return honest(self, *args)

    box = source(root)
    found = envelopes(box)
    monkeypatch.setattr(Path, "open", refusing)
    taken = []
    with pytest.raises(Unfetched, match="Permission denied"):
        for fetched in box.fetch(found, CAP):
            taken.append(fetched.raw)
    assert taken == [mail("b")]


def test_a_failing_disk_stops_the_pass(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    put(root, "1", mail("a"))
    box = source(root)
    found = envelopes(box)

    def failing(self: Path, *args: str) -> object:
        raise OSError(errno.EIO, "Input/output error")

    monkeypatch.setattr(Path, "open", failing)
    with pytest.raises(Retryable) as caught:
        list(box.fetch(found, CAP))
    assert caught.value.systemic


# --- folders --------------------------------------------------------------------------------


def test_subfolders_in_either_spelling_and_a_missing_one(
    root: Path, caplog: pytest.LogCaptureFixture
) -> None:
    put(make(root / ".&V4NXPpCuTvY-"), "1", mail("dovecot"))
    put(make(root / ".广告邮件"), "2", mail("utf-8"))
    put(make(root / ".A &- B.C"), "3", mail("nested"))
    box = source(root, "INBOX", "垃圾邮件", "广告邮件", "A & B/C", "没有")
    with caplog.at_level(logging.WARNING):
        states = list(box.search())
        assert list(box.search()) == states
    assert [s.folder for s in states] == ["INBOX", "垃圾邮件", "广告邮件", "A & B/C"]
    assert [f.raw for f in everything(box)] == [mail("dovecot"), mail("utf-8"), mail("nested")]
    assert box.missing_folders == {"没有"}
    assert len(caplog.records) == 1


def test_no_maildir_at_all_stops_the_pass(tmp_path: Path) -> None:
    with pytest.raises(Permanent) as caught:
        list(source(tmp_path / "nothing").search())
    assert (caught.value.code, caught.value.systemic) == ("folder", True)


@pytest.mark.parametrize("folder", ["../other", "..", "a/../../b", ".", "a\x00b", "a.b", ""])
def test_no_folder_name_leads_out_of_the_maildir(root: Path, folder: str) -> None:
    with pytest.raises(OperatorFault, match="folder name"):
        source(root, folder)
    with pytest.raises(OperatorFault, match="folder name"):
        source(root, accepted=folder)


def test_moving_into_a_watched_folder_is_refused(root: Path) -> None:
    with pytest.raises(OperatorFault, match="watched"):
        source(root, "INBOX", "done", accepted="done")


# --- settling -------------------------------------------------------------------------------


def test_settled_mail_goes_to_cur_as_seen_and_twice_is_harmless(root: Path) -> None:
    put(root, "1.M1P1.host", mail("a"))
    box = source(root)
    (envelope,) = envelopes(box)
    for _ in range(2):
        box.settle(envelope.origin, Disposition.HELD)
    source(root).settle(envelope.origin, Disposition.HELD)
    assert (names(root, "new"), names(root)) == ([], ["1.M1P1.host:2,S"])
    assert only(box).uids == [envelope.origin.uid]
    assert envelopes(box)[0].received == MOMENT


def test_flags_a_person_set_are_kept(root: Path) -> None:
    put(root, "1.host:2,FR", mail("a"), "cur")
    box = source(root)
    box.settle(envelopes(box)[0].origin, Disposition.ACCEPTED)
    assert names(root) == ["1.host:2,FRS"]


def test_settled_mail_moves_to_a_subfolder_made_for_it(root: Path) -> None:
    put(root, "1.host", mail("a"))
    put(root, "2.host", mail("b"))
    box = source(root, accepted="已处理/2026")
    first, second = sorted(everything(box), key=lambda f: f.raw or b"")
    for _ in range(2):
        box.settle(first.envelope.origin, Disposition.ACCEPTED)
    box.settle(second.envelope.origin, Disposition.RETURNED)
    home = root / ".&XfJZBHQG-.2026"
    assert (names(home), names(root), names(root, "new")) == (["1.host:2,S"], ["2.host:2,S"], [])
    assert (home / "maildirfolder").exists()
    assert (home / "cur" / "1.host:2,S").read_bytes() == mail("a")
    assert only(box).uids == [second.envelope.origin.uid]


def test_another_mail_of_the_same_name_is_never_overwritten(root: Path) -> None:
    put(make(root / ".done"), "1.host:2,S", mail("other"), "cur")
    put(root, "1.host", mail("a"))
    box = source(root, accepted="done")
    (envelope,) = envelopes(box)
    box.settle(envelope.origin, Disposition.ACCEPTED)
    assert (root / ".done" / "cur" / "1.host:2,S").read_bytes() == mail("other")
    assert [f.raw for f in everything(box)] == [mail("a")]


def test_a_crash_between_link_and_unlink_is_mended(root: Path) -> None:
    file = put(root, "1.host", mail("a"))
    (root / "cur" / "1.host:2,S").hardlink_to(file)
    box = source(root)
    (envelope,) = envelopes(box)
    box.settle(envelope.origin, Disposition.ACCEPTED)
    assert (names(root, "new"), names(root)) == ([], ["1.host:2,S"])


def test_file_systems_without_hard_links(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def no_links(self: Path, target: Path) -> None:
        raise PermissionError(errno.EPERM, "Operation not permitted")

    monkeypatch.setattr(Path, "hardlink_to", no_links)
    put(root, "1.host", mail("a"))
    box = source(root)
    box.settle(envelopes(box)[0].origin, Disposition.ACCEPTED)
    assert (names(root, "new"), names(root)) == ([], ["1.host:2,S"])


def test_a_settlement_that_fails_is_no_reason_to_stop(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(self: Path, target: Path) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(Path, "hardlink_to", full)
    put(root, "1.host", mail("a"))
    box = source(root)
    with pytest.raises(Permanent) as caught:
        box.settle(envelopes(box)[0].origin, Disposition.ACCEPTED)
    assert not caught.value.systemic
    assert [f.raw for f in everything(box)] == [mail("a")]


def test_origins_of_another_uidvalidity_are_not_settled(root: Path) -> None:
    put(root, "1.host", mail("a"))
    box = source(root)
    (envelope,) = envelopes(box)
    box.settle(Origin("demo", "INBOX", 7, envelope.origin.uid), Disposition.ACCEPTED)
    assert names(root, "new") == ["1.host"]


# --- waiting --------------------------------------------------------------------------------


def test_wait_ends_when_mail_arrives(root: Path) -> None:
    box = source(root)
    list(box.search())
    later = threading.Timer(0.2, put, (root, "1.host", mail("a")))
    later.start()
    assert box.wait(60) is True
    later.join()
    assert len(only(box).uids) == 1


def test_mail_that_came_just_after_the_search_is_not_waited_for(root: Path) -> None:
    box = source(root)
    states = box.search()
    next(states)
    put(root, "1.host", mail("a"), "cur")
    assert list(states) == []
    assert box.wait(600) is True


def test_wait_without_news_ends_with_the_time_and_stop_ends_it(root: Path) -> None:
    stop = threading.Event()
    box = MaildirSource("demo", root, clock=SystemClock(), stop=stop)
    list(box.search())
    assert box.wait(0.1) is False
    later = threading.Timer(0.1, stop.set)
    later.start()
    assert box.wait(600) is False
    later.join()
