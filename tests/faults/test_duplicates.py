"""Faults D1, D2, D3 and D5: the same mail again, and another one that pretends to be it."""

from __future__ import annotations

import re
import shutil
from datetime import timedelta
from pathlib import Path

import pytest

from mailbot.core.mail.compose import HEADERS, usable_id
from mailbot.core.mail.decode import decode
from tests.faults.post import Office, imap_office
from tests.integration.intake_help import NOON, World, item, letter, text_file
from tests.servers.dovecot import Dovecot

TRACE = b"Received: from b by c; Wed, 12 Aug 2026 12:01:00 +0800\r\nDelivered-To: x@example.org\r\n"


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path)


@pytest.mark.parametrize("together", [True, False])
@pytest.mark.parametrize("message_id", ["one@example.com", None])
def test_d1_a_mail_delivered_twice_is_one_item_and_one_reply(
    world: World, together: bool, message_id: str | None
) -> None:
    raw = item(message_id=message_id)
    if together:
        world.receive(raw, TRACE + raw, b"Return-Path: <a@example.com>\r\n" + raw)
    else:
        for copy in (raw, TRACE + raw, b"Return-Path: <a@example.com>\r\n" + raw):
            world.receive(copy)
    assert len(world.items()) == len(world.letters()) == 1
    linked = world.rows("select inbound_id, to_inbound from link where relation = 'duplicate'")
    assert linked == [(2, 1), (3, 1)]


def test_d1_the_copy_that_differs_in_a_word_is_no_copy(world: World) -> None:
    world.receive(item(message_id="one@example.com"))
    world.receive(item(message_id="one@example.com", text="另一篇稿件的内容。" * 40))
    assert world.rows("select count(*) from link where relation = 'duplicate'") == [(0,)]


@pytest.mark.parametrize("forged_first", [True, False])
def test_d2_one_message_id_on_two_contents_keeps_and_shows_both(
    world: World, forged_first: bool
) -> None:
    """Who knows a Message-ID may send something under it before the real mail comes: neither
    takes the other's place."""
    real = item("春耕备耕工作进展顺利", message_id="same@example.com")
    forged = letter(
        "教体局+草原防火宣传深入牧户+李四+7622030",
        files=[text_file("x.txt", "火" * 300)],
        sender="forger@example.com",
        message_id="same@example.com",
    )
    world.receive(*((forged, real) if forged_first else (real, forged)))
    assert sorted(title for title, _, _ in world.items()) == [
        "春耕备耕工作进展顺利",
        "草原防火宣传深入牧户",
    ]
    assert len(list((world.root / "archive").rglob("*.eml"))) == 2
    assert world.rows("select inbound_id, to_inbound from link where relation = 'same_id'") == [
        (2, 1)
    ]
    flags = [row.flags for row in world.rows("select flags from item order by id")]
    assert "same_message_id" in flags[1], "staff see it where they see the item"


def test_d2_a_real_mail_behind_a_forged_one_that_was_held_is_registered(tmp_path: Path) -> None:
    world = World(tmp_path, authserv_ids=frozenset({"mx.example.org"}))
    forged = b"Authentication-Results: mx.example.org; spf=fail; dkim=fail; dmarc=fail header.from=example.com\r\n" + item(
        "假的标题内容", message_id="same@example.com"
    )  # fmt: skip
    real = b"Authentication-Results: mx.example.org; spf=pass; dkim=pass; dmarc=pass header.from=example.com\r\n" + item(
        message_id="same@example.com"
    )  # fmt: skip
    world.receive(forged)
    settled = world.receive(real)
    assert world.rows("select decision from inbound order by id") == [("hold",), ("accept",)]
    assert "same_message_id" in settled.items[0].flags
    assert [kind for kind, _, _ in world.letters()] == ["acknowledgement"]


IDS = {
    "none": b"",
    "two": b"Message-ID: <a@example.com>\r\nMessage-ID: <b@example.com>\r\n",
    "ten thousand characters": b"Message-ID: <" + b"x" * 10_000 + b"@example.com>\r\n",
    "brackets": b"Message-ID: <<a>@b>@example.com>\r\n",
    "bare": b"Message-ID: a@example.com\r\n",
    "blanks": b"Message-ID: < a b @example.com >\r\n",
    "empty": b"Message-ID: <>\r\n",
    "another header": b"Message-ID: <a@example.com>\r\n\tBcc: <victim@example.com>\r\n",
    "not ASCII": b"Message-ID: \xc4\xe3\xba\xc3\r\nIn-Reply-To: <<x> y> <\r\nReferences: < > <a b>\r\n",
    "many references": b"References: " + b" ".join(b"<%d@x>" % n for n in range(3000)) + b"\r\n",
}


@pytest.mark.parametrize("fields", IDS.values(), ids=IDS)
def test_d3_unusable_message_ids_are_kept_apart_by_hash_and_not_quoted(
    world: World, fields: bytes
) -> None:
    first, second = item(), item("草原防火宣传深入牧户", text="火" * 300)
    world.receive(fields + first)
    world.receive(fields + second)
    world.receive(TRACE + fields + first)
    assert len(world.items()) == len(world.sent()) == 2
    for sent in world.sent():
        names = re.findall(rb"(?m)^([A-Za-z-]+):", sent.raw.partition(b"\r\n\r\n")[0])
        assert len(names) == len(set(names))
        assert {name.decode() for name in names} <= set(HEADERS)
        assert max(map(len, sent.raw.split(b"\r\n"))) < 998
        again = decode(sent.raw)
        for quoted in (*again.in_reply_to, *again.references):
            assert usable_id(quoted) == quoted and len(quoted) <= 250
        assert len(again.references) <= 20
    assert b"victim" not in b"".join(s.raw for s in world.sent())


# --- a mailbox put back from a backup -------------------------------------------------------


@pytest.mark.dovecot
def test_d5_a_mailbox_restored_from_a_backup_hides_no_new_mail(
    tmp_path: Path, dovecot: Dovecot, mail_user: str
) -> None:
    """With the files the server's own list of numbers comes back: the same UIDVALIDITY, and the next
    mail gets a number that another one had."""
    titles = (
        "春耕备耕工作进展顺利",
        "草原防火宣传深入牧户",
        "冷季饲草储备充足",
        "全旗秋季开学准备就绪",
    )
    raws = [item(title, message_id=f"{n}@example.com") for n, title in enumerate(titles)]
    home, backup = dovecot.maildir(mail_user), tmp_path / "backup"
    root = tmp_path / "office"
    root.mkdir()
    with imap_office(root, dovecot.imap_port, mail_user) as office:
        dovecot.append_all(mail_user, raws[:2])
        office.run()
        office.box.close()
        shutil.copytree(home, backup)
        dovecot.append(mail_user, raws[2])
        office.run()
        office.box.close()
        validity = office.rows("select distinct uidvalidity from inbound")
        restore(backup, home)
        dovecot.append(mail_user, raws[3])
        assert dovecot.uids(mail_user) == [1, 2, 3]
        office.run()
        assert validity == office.rows("select distinct uidvalidity from inbound")
        assert [title for title, _, _ in office.items()] == list(titles)
        assert len(office.letters()) == 4
        assert office.tasks().count("renumbered") == 1
        for _ in range(2):
            assert office.run().total == 0


def restore(backup: Path, home: Path) -> None:
    """Puts the files back as they were, with their owner."""
    owner = home.stat()
    shutil.rmtree(home)
    shutil.copytree(backup, home)
    for path in (home, *home.rglob("*")):
        shutil.chown(path, owner.st_uid, owner.st_gid)


@pytest.mark.parametrize("told", [True, False], ids=["UIDNEXT fell", "no UIDNEXT"])
def test_d5_a_number_given_out_a_second_time_names_a_new_mail(tmp_path: Path, told: bool) -> None:
    office = Office(tmp_path)
    for n, title in enumerate(("春耕备耕工作进展顺利", "草原防火宣传深入牧户", "冷季饲草储备充足")):
        office.box.put(item(title, message_id=f"{n}@x"), NOON + timedelta(minutes=n))
    office.box.uidnext = 4 if told else 0
    office.moved.pass_(hours=1)
    office.run()
    del office.box.mails[3]
    office.box.uidnext = 3 if told else 0
    office.box.put(item("全旗秋季开学准备就绪", message_id="new@x"), office.moved.now())
    assert sorted(office.box.mails) == [1, 2, 3]
    office.run()
    assert len(office.items()) == len(office.letters()) == 4
    assert office.tasks().count("renumbered") == 1
    assert office.run().total == 0


def test_d5_what_was_not_yet_read_when_the_numbers_changed_is_read_once(tmp_path: Path) -> None:
    office = Office(tmp_path)
    uid = office.box.put(item(message_id="1@x"), NOON)
    office.box.broken.add(uid)
    office.run()
    office.box.broken.clear()
    office.box.mails[uid] = office.box.mails.pop(uid)
    office.box.mails[2] = office.box.mails[1]
    office.box.put(item("草原防火宣传深入牧户", message_id="2@x"), NOON)
    office.box.mails[1] = office.box.mails.pop(3)
    office.box.uidvalidity = 9
    office.moved.pass_(days=2)
    office.run()
    office.run()
    assert len(office.items()) == 2
    assert len(office.letters()) == 2
