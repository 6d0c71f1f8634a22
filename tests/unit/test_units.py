"""The systemd units fit what the program does."""

from __future__ import annotations

import configparser
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from mailbot.adapters.system import shipped
from mailbot.daemon.main import DRAIN

UNITS = sorted((shipped("config") / "systemd").iterdir())


def unit(name: str) -> dict[str, str]:
    """The last value of each key of [Service]."""
    parser = configparser.RawConfigParser(strict=False, delimiters="=")
    parser.optionxform = str  # type: ignore[assignment, method-assign]
    parser.read_string((shipped("config") / "systemd" / name).read_text("utf-8"))
    return dict(parser["Service"])


def test_the_stop_waits_for_the_drain() -> None:
    minutes = re.fullmatch(r"(\d+)min", unit("mailbot.service")["TimeoutStopSec"])
    assert minutes is not None and int(minutes[1]) * 60 >= DRAIN
    stop = re.search(
        r"--stop-timeout (\d+)", (Path(__file__).parents[2] / "Containerfile").read_text("utf-8")
    )
    assert stop is not None and int(stop[1]) >= DRAIN


@pytest.mark.parametrize("name", ["mailbot.service", "mailbot-backup.service"])
def test_nothing_is_left_open(name: str) -> None:
    found = unit(name)
    for key in ("NoNewPrivileges", "PrivateTmp", "PrivateDevices", "ProtectHome"):
        assert found[key] == "yes"
    assert found["ProtectSystem"] == "strict" and found["CapabilityBoundingSet"] == ""
    assert found["User"] == "mailbot"


def test_systemd_itself_finds_no_fault(tmp_path: Path) -> None:
    tool = shutil.which("systemd-analyze")
    if tool is None:
        assert len(UNITS) == 3
        return
    for path in UNITS:
        text = path.read_text("utf-8").replace("/opt/mailbot/bin/mailbot", "/bin/true")
        (tmp_path / path.name).write_text(text, "utf-8")
    done = subprocess.run(
        [tool, "verify", *(str(tmp_path / p.name) for p in UNITS)],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert (done.returncode, done.stderr) == (0, "")
