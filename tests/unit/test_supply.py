"""What mailbot is made of: the locked requirements fit what it asks for, and the checks on licences and
vulnerabilities say no when they should."""

from __future__ import annotations

import re
import runpy
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[2]
SUPPLY = runpy.run_path(str(ROOT / ".ci" / "supply.py"))
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
EXTRAS = PROJECT["optional-dependencies"]


def locked(name: str) -> dict[str, list[str]]:
    """Package -> its versions in a lock file (several where they differ by platform)."""
    found: dict[str, list[str]] = {}
    text = (ROOT / "requirements" / f"{name}.txt").read_text("utf-8")
    for package, version in re.findall(
        r"^([\w.-]+)(?:\[[\w,]+\])?==([\w.+!]+)", text, re.MULTILINE
    ):
        found.setdefault(canonicalize_name(package), []).append(version)
    return found


@pytest.mark.parametrize(
    ("file", "wanted"),
    [
        ("run", [*PROJECT["dependencies"], *EXTRAS["postgres"]]),
        ("dev", [*PROJECT["dependencies"], *EXTRAS["postgres"], *EXTRAS["dev"]]),
        ("build", ["hatchling>=1.25"]),
    ],
)
def test_the_locked_versions_are_what_the_project_asks_for(file: str, wanted: list[str]) -> None:
    versions = locked(file)
    for requirement in map(Requirement, wanted):
        got = versions.get(canonicalize_name(requirement.name))
        assert got, f"{requirement.name} is not locked: sh .ci/do lock"
        assert all(v in requirement.specifier for v in got), f"{requirement}: {got} is locked"


def test_what_is_tested_is_what_runs() -> None:
    dev = locked("dev")
    assert {name: dev.get(name) for name in locked("run")} == locked("run")


@pytest.mark.parametrize("file", ["run", "dev", "build", "audit"])
def test_every_locked_package_has_hashes_and_no_host_is_named(file: str) -> None:
    text = (ROOT / "requirements" / f"{file}.txt").read_text("utf-8")
    blocks = re.split(r"\n(?=[\w])", text.strip())
    assert all("--hash=sha256:" in block for block in blocks)
    assert "://" not in text


@pytest.mark.parametrize(
    "licence",
    ["MIT", "BSD License", "Apache-2.0 AND BSD-2-Clause", "LGPL-3.0-only", "MIT OR GPL-2.0-only",
     "GNU Lesser General Public License v3 (LGPLv3)", "Mozilla Public License 2.0 (MPL 2.0)"],
)  # fmt: skip
def test_a_licence_that_fits_passes(licence: str) -> None:
    assert SUPPLY["licences"]([{"Name": "x", "Version": "1", "License": licence}]) == 0


@pytest.mark.parametrize(
    "licence",
    ["GPL-3.0-only", "AGPL-3.0-or-later", "GNU Affero General Public License v3", "UNKNOWN", "",
     "GNU General Public License v2 (GPLv2)", "MIT; GPLv3", "LIMITED COMMERCIAL LICENSE", "Not MIT",
     "Server Side Public License", "BSD and then some", "MIT AND GPL-2.0-only", "Proprietary"],
)  # fmt: skip
def test_a_licence_that_does_not_fit_is_named(
    licence: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert SUPPLY["licences"]([{"Name": "x", "Version": "1", "License": licence}]) == 1
    assert repr(licence) in capsys.readouterr().out


def test_a_known_vulnerability_fails_and_names_the_mended_version(
    capsys: pytest.CaptureFixture[str],
) -> None:
    report = {
        "dependencies": [
            {"name": "a", "version": "1.0", "vulns": [{"id": "CVE-1", "fix_versions": ["1.1"]}]},
            {"name": "b", "version": "2.0", "vulns": []},
        ]
    }
    assert SUPPLY["audit"](report) == 1
    assert "CVE-1 (mended in: 1.1)" in capsys.readouterr().out


def test_an_audit_that_could_ask_nobody_says_so(capsys: pytest.CaptureFixture[str]) -> None:
    report = {"dependencies": [{"name": "a", "skip_reason": "not found"}]}
    assert SUPPLY["audit"](report) == 0
    assert "NOT audited" in capsys.readouterr().out
