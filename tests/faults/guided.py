"""Targets for the coverage-guided fuzzer atheris.

python -m tests.faults.guided mail|subject|command|authentication [libFuzzer options] [corpus]
"""

from __future__ import annotations

import sys
from datetime import date

import atheris

with atheris.instrument_imports(include=["mailbot"]):
    from mailbot.adapters.offices.rulefiles import load_office
    from mailbot.adapters.system import shipped
    from mailbot.core.intake.commands import read_command, read_period, read_request
    from mailbot.core.mail.authentication import authentication
    from mailbot.core.mail.reading import read_mail
    from mailbot.core.mail.wire import from_json, to_json
    from mailbot.core.subject.reader import read_subject

from tests.faults.mutate import fixtures
from tests.unit.test_decode_hostile import check

DAY = date(2026, 8, 12)
BOOK = load_office(shipped("config") / "offices" / "otog")


def mail(data: bytes) -> None:
    read = read_mail(data)
    check(read)
    assert from_json(to_json(read)) == read


def subject(data: bytes) -> None:
    text = data.decode("utf-8", "replace")
    assert read_subject(text, BOOK.roster, DAY) == read_subject(text, BOOK.roster, DAY)


def command(data: bytes) -> None:
    text = data.decode("utf-8", "replace")
    read_request(text, DAY)
    read_period(text, DAY)
    read_command(read_mail(b"Subject: " + data), DAY)


def verified(data: bytes) -> None:
    read = read_mail(b"From: a@example.org\r\nAuthentication-Results: " + data)
    authentication(read, frozenset({"mx.example.org"}), "example.org")


TARGETS = {"mail": mail, "subject": subject, "command": command, "authentication": verified}


def main() -> None:
    target = TARGETS[sys.argv.pop(1)]
    if target is mail:
        # Seeds: mutation starts from real structure.
        for index, raw in enumerate(fixtures()):
            if len(raw) < 4_000:
                with open(f"{sys.argv[-1]}/seed-{index}", "wb") as seed:
                    seed.write(raw)
    atheris.Setup(sys.argv, target)
    atheris.Fuzz()


if __name__ == "__main__":
    main()
