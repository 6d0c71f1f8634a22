"""Fixtures that start the servers; imported as a plugin (`pytest_plugins`) by tests/conftest.py.

One Dovecot per profile and test session; each test gets a user of its own. One PostgreSQL per test
session (each xdist worker has its own); each test gets a database of its own.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from itertools import count
from pathlib import Path

import pytest

from mailbot.adapters.db.engine import open_store
from tests.servers import dovecot as dovecot_server
from tests.servers import office as office_programs
from tests.servers import postgres as postgres_programs
from tests.servers.dovecot import Dovecot, Profile
from tests.servers.postgres import Postgres

_numbers = count(1)


def need_dovecot() -> None:
    _need(dovecot_server.missing(), "Dovecot is not installed here")


def _need(package: str | None, found: str) -> None:
    """Skips, or fails where tests must not be skipped (CI), naming the missing package."""
    if package is None:
        return
    message = f"{found}: Debian package {package} is missing"
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
    """For tests that print Word files (`tests.servers.office`)."""
    _need(office_programs.missing(), "Word files cannot be printed here")


@pytest.fixture(scope="session")
def running_postgres() -> Iterator[Postgres]:
    _need(postgres_programs.missing(), "PostgreSQL is not installed here")
    with Postgres() as server:
        yield server


@pytest.fixture(scope="session")
def postgres_ready(running_postgres: Postgres) -> str:
    """The address of a database at the present schema, which one test after the other uses."""
    url = running_postgres.new_database()
    open_store(url).close()
    return url


@pytest.fixture
def postgres_server(running_postgres: Postgres) -> Iterator[Postgres]:
    """The server itself, for tests that stop, restart or pause it."""
    yield running_postgres
    if not running_postgres.running:
        running_postgres.start()


@pytest.fixture
def postgres(postgres_server: Postgres) -> Iterator[str]:
    """The address of a new, empty database."""
    url = postgres_server.new_database()
    yield url
    postgres_server.drop_database(url)


@pytest.fixture(params=["sqlite", "postgresql"])
def database(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The address of an empty database, once of each kind: what is shown with it holds on both.
    PostgreSQL's is at the present schema and must be left so; SQLite's is made when first opened."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path}/mailbot.db"
    url: str = request.getfixturevalue("postgres_ready")
    server: Postgres = request.getfixturevalue("postgres_server")
    server.empty(url)
    return url
