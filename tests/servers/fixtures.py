"""Fixtures that start the servers; imported as a plugin (`pytest_plugins`) by tests/conftest.py.

One Dovecot per profile and test session; each test gets a user of its own.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from itertools import count

import pytest

from tests.servers import dovecot as dovecot_server
from tests.servers import office as office_programs
from tests.servers.dovecot import Dovecot, Profile

_numbers = count(1)


def need_dovecot() -> None:
    """Skips, or fails where tests must not be skipped (CI), naming the missing package."""
    package = dovecot_server.missing()
    if package is None:
        return
    message = f"Dovecot is not installed here: Debian package {package} is missing"
    if os.environ.get("CI"):
        pytest.fail(message, pytrace=False)
    pytest.skip(message)


@pytest.fixture(scope="session")
def dovecots() -> Iterator[Callable[[Profile], Dovecot]]:
    """The server with a given profile, started when first asked for."""
    need_dovecot()
    running: dict[Profile, Dovecot] = {}
    with ExitStack() as stack:

        def get(profile: Profile) -> Dovecot:
            if profile not in running:
                running[profile] = stack.enter_context(Dovecot(profile=profile))
            return running[profile]

        yield get


@pytest.fixture
def dovecot(dovecots: Callable[[Profile], Dovecot]) -> Dovecot:
    """A Dovecot that offers everything."""
    return dovecots("full")


@pytest.fixture
def mail_user(dovecot: Dovecot) -> str:
    """A new user of `dovecot`, password `secret`, empty mailbox."""
    return dovecot.add_user(f"user{next(_numbers)}", "secret")


@pytest.fixture
def new_user() -> Callable[[Dovecot], str]:
    """Makes a new user on whichever server."""
    return lambda server: server.add_user(f"user{next(_numbers)}", "secret")


@pytest.fixture(scope="session")
def word_on_paper() -> None:
    """For tests that print Word files (`tests.servers.office`): skips, or fails where tests must
    not be skipped, naming what is missing."""
    package = office_programs.missing()
    if package is None:
        return
    message = f"Word files cannot be printed here: Debian package {package} is missing"
    if os.environ.get("CI"):
        pytest.fail(message, pytrace=False)
    pytest.skip(message)
