"""`mailbot run` as the office has it: a mailbox, an SMTP server, kills and restarts."""

from __future__ import annotations

import json
import shutil
import signal
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from email import message_from_bytes, policy
from pathlib import Path

import pytest

from mailbot.adapters.system import shipped
from tests.integration.daemon_help import Bot, configure, submission, until
from tests.servers.dovecot import Dovecot, Profile
from tests.servers.smtp_sink import SmtpSink

pytestmark = pytest.mark.dovecot


@pytest.fixture
def sink() -> Iterator[SmtpSink]:
    with SmtpSink() as running:
        yield running


@pytest.fixture
def bot(tmp_path: Path, dovecot: Dovecot, mail_user: str, sink: SmtpSink) -> Iterator[Bot]:
    with Bot(configure(tmp_path, dovecot, mail_user, sink)) as made:
        yield made


def _items(bot: Bot) -> list[dict[str, str]]:
    return json.loads(bot.command("items", "--json"))


def _message_id(raw: bytes) -> str:
    return str(message_from_bytes(raw)["Message-ID"])


def test_every_mail_is_answered_once(
    bot: Bot, dovecot: Dovecot, mail_user: str, sink: SmtpSink
) -> None:
    bot.start()
    for number in range(30):
        sender = f"liaison{number % 3}@example.net"
        dovecot.append(mail_user, submission(number, sender=sender))
    until(lambda: len(sink.letters) >= 30, "30 answers", bot.log)
    assert bot.stop() == 0
    items = _items(bot)
    assert len(items) == 30
    assert len({i["receipt"] for i in items}) == 30
    assert Counter(t.recipients[0] for t in sink.letters) == {
        f"liaison{n}@example.net": 10 for n in range(3)
    }


def test_a_killed_daemon_goes_on_without_a_second_answer(
    bot: Bot, dovecot: Dovecot, mail_user: str, sink: SmtpSink
) -> None:
    for number in range(12):
        dovecot.append(mail_user, submission(number))
    bot.start()
    until(lambda: len(sink.letters) >= 3, "the first answers", bot.log)
    bot.kill()
    for number in range(12, 20):
        dovecot.append(mail_user, submission(number))
    bot.start()
    # One letter may have been under way when the daemon died: it is never sent twice, and a person
    # is told of it instead.
    until(
        lambda: (
            len(sink.letters) + bot.command("tasks").count("unknown") >= 19
            and len(_items(bot)) == 20
        ),
        "the rest of the answers",
        bot.log,
    )
    assert bot.stop() == 0
    ids = Counter(_message_id(t.raw) for t in sink.letters)
    assert set(ids.values()) == {1}, "no letter twice"
    assert len(ids) >= 19


def test_mail_read_or_unread_in_webmail_makes_no_difference(
    bot: Bot, dovecot: Dovecot, mail_user: str, sink: SmtpSink
) -> None:
    dovecot.append(mail_user, submission(1))
    with dovecot.client(mail_user, "INBOX") as client:
        client.store("1", "+FLAGS", r"(\Seen)")
    bot.start()
    until(lambda: len(sink.letters) == 1, "the answer", bot.log)
    with dovecot.client(mail_user, "INBOX") as client:
        client.store("1", "-FLAGS", r"(\Seen)")
    dovecot.append(mail_user, submission(2))
    until(lambda: len(sink.letters) == 2, "the second answer", bot.log)
    bot.stop()
    assert len(_items(bot)) == 2


def test_old_mail_is_recorded_and_its_answers_wait_for_the_operator(
    bot: Bot, dovecot: Dovecot, mail_user: str, sink: SmtpSink
) -> None:
    old = datetime.now(UTC) - timedelta(days=30)
    dovecot.append(mail_user, submission(1), internaldate=old)
    dovecot.append(mail_user, submission(2))
    bot.start()
    until(lambda: len(sink.letters) == 1, "the answer to the new mail", bot.log)
    bot.stop()
    assert len(_items(bot)) == 2
    assert len(sink.letters) == 1
    assert "1 withheld" in bot.command("backlog")
    bot.command("backlog", "--send")
    bot.command("once")
    assert len(sink.letters) == 2


def test_a_second_daemon_on_the_same_data_refuses_to_start(
    bot: Bot, dovecot: Dovecot, mail_user: str, sink: SmtpSink
) -> None:
    dovecot.append(mail_user, submission(1))
    bot.start()
    until(lambda: len(sink.letters) == 1, "the answer", bot.log)
    second = Bot(bot.config)
    second.start()
    assert second.process is not None
    assert second.process.wait(60) == 2
    second.process = None
    bot.stop()


def test_a_renumbered_mailbox_brings_no_second_item_and_no_second_answer(
    bot: Bot, dovecot: Dovecot, mail_user: str, sink: SmtpSink
) -> None:
    for number in range(5):
        dovecot.append(mail_user, submission(number))
    bot.command("once")
    assert len(sink.letters) == 5
    dovecot.set_uidvalidity(mail_user, 4_000_000)
    dovecot.append(mail_user, submission(6))
    bot.command("once")
    assert len(sink.letters) == 6
    assert len(_items(bot)) == 6


def test_a_provider_without_idle_is_polled(
    tmp_path: Path,
    dovecots: Callable[[Profile], Dovecot],
    new_user: Callable[[Dovecot], str],
    sink: SmtpSink,
) -> None:
    server = dovecots("no-idle")
    user = new_user(server)
    with Bot(configure(tmp_path, server, user, sink)) as bot:
        bot.start()
        for number in range(2):
            server.append(user, submission(number))
            until(lambda: len(sink.letters) == number + 1, "the answer", bot.log)  # noqa: B023
        assert bot.stop() == 0


def test_a_refused_login_says_so_and_touches_nothing(
    tmp_path: Path, dovecot: Dovecot, sink: SmtpSink
) -> None:
    bot = Bot(configure(tmp_path, dovecot, "nobody", sink))
    bot.start()
    with bot:
        until(
            lambda: "login" in bot.log.read_text("utf-8").lower(), "a word about the login", bot.log
        )
        assert bot.stop() == 0


NEW = "本行是新加的。"


def test_p4_a_running_daemon_takes_up_what_is_good_and_refuses_what_is_broken(
    tmp_path: Path, dovecot: Dovecot, mail_user: str, sink: SmtpSink
) -> None:
    """By SIGHUP, as `systemctl reload` sends it. It never stops answering."""
    templates = tmp_path / "templates"
    shutil.copytree(shipped("templates"), templates)
    (template,) = (templates / "mail").glob("acknowledgement.txt.j2")
    good = template.read_text("utf-8")
    config = configure(tmp_path, dovecot, mail_user, sink, 'templates_dir = "templates"')

    def answer() -> str:
        number = len(sink.letters) + 1
        dovecot.append(mail_user, submission(number))
        until(lambda: len(sink.letters) == number, f"answer {number}", bot.log)
        body = message_from_bytes(sink.letters[-1].raw, policy=policy.default).get_body(("plain",))
        assert body is not None
        return str(body.get_content())

    def reload(said: str) -> None:
        before = bot.log.read_text("utf-8").count(said)
        assert bot.process is not None
        bot.process.send_signal(signal.SIGHUP)
        until(lambda: bot.log.read_text("utf-8").count(said) > before, said, bot.log)

    taken, refused = "mailbot.reloading reloaded", "mailbot.reloading not reloaded"
    with Bot(config) as bot:
        bot.start()
        assert NEW not in answer()
        template.write_text(f"{good}\n{NEW}\n", "utf-8")
        reload(taken)
        # What was under way is finished by the old template.
        until(lambda: NEW in answer(), "an answer by the new template", bot.log)
        template.write_text(good + "\n{{ 半句", "utf-8")
        reload(refused)
        assert NEW in answer()
        template.write_text(good, "utf-8")
        reload(taken)
        until(lambda: NEW not in answer(), "an answer by the old template", bot.log)
        assert bot.stop() == 0
