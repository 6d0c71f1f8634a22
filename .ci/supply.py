"""What mailbot is made of: known vulnerabilities, licences. Run by `sh .ci/do supply`.

supply.py audit   < pip-audit's JSON      vulnerable: exit 1; nobody could be asked: says so, exit 0
supply.py licences < pip-licenses' JSON   a licence that is not allowed: exit 1
"""

from __future__ import annotations

import json
import re
import sys

ALLOWED = re.compile(
    r"MIT|MIT-CMU|MIT-0|BSD|BSD-\d-Clause|0BSD|ISC|ISC License|Apache|Apache-2\.0|PSF|PSF-2\.0|"
    r"Python Software Foundation|Python-2\.0|HPND|MPL-2\.0|Mozilla Public License|Unlicense|"
    r"CC0-1\.0|Zlib|"
    # Used as they are, as libraries of their own: docxtpl, psycopg, tnefparse.
    r"LGPL(?:-[\w.]+)?(?:-only|-or-later)?|"
    r"GNU Lesser General Public License|"
    r"GNU Library or Lesser General Public License"
)
REFUSED = re.compile(r"\bA?GPL|Affero|(?<!Lesser )(?<!Library or Lesser )General Public License")
"""Mailbot is under the Apache License 2.0: what would put it under other terms stays out."""

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
    if REFUSED.search(licence) and " OR " not in licence:
        return False
    return any(
        all(ALLOWED.search(part) and not REFUSED.search(part) for part in re.split(r" AND |;", one))
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
