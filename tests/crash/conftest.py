"""One zygote for all tests here, and the initial state that most of them share."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from tests.crash.bed import Bed, Zygote
from tests.servers.dovecot import Dovecot, Profile


@pytest.fixture(scope="session")
def zygote(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Zygote]:
    made = Zygote(tmp_path_factory.mktemp("zygote") / "zygote.log")
    yield made
    made.close()


@pytest.fixture(scope="module")
def bed(
    dovecots: Callable[[Profile], Dovecot], tmp_path_factory: pytest.TempPathFactory, zygote: Zygote
) -> Iterator[Bed]:
    """The five mails on a server that offers everything."""
    with Bed(dovecots("full"), tmp_path_factory.mktemp("bed"), zygote) as made:
        yield made
