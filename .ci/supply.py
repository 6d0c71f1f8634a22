"""What mailbot is made of: known vulnerabilities, licences. Run by `sh .ci/do supply`.

supply.py audit   < pip-audit's JSON      vulnerable: exit 1; nobody could be asked: says so, exit 0
supply.py licences < pip-licenses' JSON   a licence that is not allowed: exit 1
"""

from __future__ import annotations

import json
import re
import sys

ALLOWED = re.compile(
    r"(the )?(mit(-cmu|-0)?|0?bsd|(new |modified |simplified )?bsd|bsd-[23]-clause|[23]-clause bsd|"
    r"isc|apache|apache(-| )(software )?(license,? )?(version )?2(\.0)?|apache software|"
    r"psf(-2\.0)?|python software foundation|python-2\.0|hpnd|unlicense|cc0-1\.0|zlib|"
    r"mpl-2\.0|mozilla public license 2\.0|"
    # Used as they are, as libraries of their own: docxtpl, psycopg, tnefparse.
    r"lgpl(-[\d.]+|v[\d.]+\+?)?(-only|-or-later)?|"
    r"gnu (library or )?lesser general public license( v[\d.]+)?( or later)?)"
    r"( license)?( \([\w .+-]+\))?"
)
"""Mailbot is under the Apache License 2.0: what would put it under other terms stays out. The whole of
a name has to fit, in lower case."""

STATED_IN_FILES = {"imapclient": "BSD-3-Clause"}
"""Packages that carry their licence as a file only, read by a person (its COPYING)."""


def licences(packages: list[dict[str, str]]) -> int:
    for p in packages:
        if p["License"] == "UNKNOWN":
            p["License"] = STATED_IN_FILES.get(p["Name"].lower(), "UNKNOWN")
    wrong = [p for p in packages if not _allowed(p["License"])]
    for p in wrong:
        print(f"{p['Name']} {p['Version']}: licence {p['License']!r} is not allowed here")
    print(f"{len(packages)} packages, {len(wrong)} with a licence that is not allowed")
    return 1 if wrong else 0


def _allowed(licence: str) -> bool:
    """Of alternatives one will do; of several that hold together, each must."""
    return any(
        all(ALLOWED.fullmatch(part.strip().lower()) for part in re.split(r" AND |;", one))
        for one in licence.split(" OR ")
    )


def audit(report: dict[str, list[dict[str, object]]]) -> int:
    packages = report["dependencies"]
    skipped = [p for p in packages if "skip_reason" in p]
    vulnerable = [p for p in packages if p.get("vulns")]
    for p in vulnerable:
        for vuln in p["vulns"]:  # type: ignore[attr-defined]
            fixed = ", ".join(vuln["fix_versions"]) or "no release yet"
            print(f"{p['name']} {p['version']}: {vuln['id']} (mended in: {fixed})")
    asked = len(packages) - len(skipped)
    print(f"{asked} of {len(packages)} packages could be asked about, {len(vulnerable)} vulnerable")
    if not asked:
        print("The list of known vulnerabilities cannot be reached from here: NOT audited.")
    return 1 if vulnerable else 0


if __name__ == "__main__":
    sys.exit({"audit": audit, "licences": licences}[sys.argv[1]](json.load(sys.stdin)))
