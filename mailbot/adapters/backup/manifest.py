"""What a snapshot holds, in its own words: `manifest.json`. Written last: what lacks one is no
snapshot. Read with distrust: it may come from anywhere.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from datetime import datetime
from pathlib import Path, PurePosixPath
from typing import Any

from mailbot.adapters.i18n import _
from mailbot.app.errors import Fault, OperatorFault

FORMAT = 1
NAME = "manifest.json"
MAILS = "mails.txt"
"""The digests of all mails the snapshot's database refers to, one a line."""
_DIGEST = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True, slots=True)
class Manifest:
    stamp: str
    taken: datetime
    """Just before the database's moment: what came later is not in it."""
    mailbot: str
    schema: str
    database: str
    """`sqlite`, `postgresql`"""
    archive: str
    """`files`, `database`"""
    installation: str
    """The print of its signing secret."""
    counts: Mapping[str, int]
    """Rows by table."""
    mails: int
    files: Mapping[str, str]
    """Path inside the snapshot: SHA-256."""
    damaged: tuple[str, ...] = ()
    """Mails whose bytes were missing or damaged when it was made."""
    own_offices: bool = True
    """The offices' data are the operator's, not those that came with mailbot."""
    format: int = field(default=FORMAT)


def to_bytes(manifest: Manifest) -> bytes:
    values = {**asdict(manifest), "taken": manifest.taken.isoformat()}
    return (json.dumps(values, ensure_ascii=False, indent=1, sort_keys=True) + "\n").encode()


def read(folder: Path) -> Manifest:
    """Raises `OperatorFault` for what is no manifest or of a later format, FileNotFoundError where
    there is none."""
    path = folder / NAME
    try:
        values: dict[str, Any] = json.loads(path.read_bytes())
        if not isinstance(values, dict) or not isinstance(values.get("format"), int):
            raise ValueError("no format")
        if values["format"] > FORMAT:
            raise OperatorFault(
                Fault(
                    str(path),
                    _("a backup in a newer format ({found}; this mailbot knows {known})").format(
                        found=values["format"], known=FORMAT
                    ),
                    _("use the mailbot that made it, or a newer one"),
                )
            )
        manifest = Manifest(
            **{
                **values,
                "taken": datetime.fromisoformat(values["taken"]),
                "damaged": tuple(values["damaged"]),
            }
        )
        if manifest.taken.tzinfo is None:
            raise ValueError("no time zone")
        _check_names(manifest)
    except (ValueError, TypeError, KeyError, AttributeError) as e:
        raise OperatorFault(
            Fault(
                str(path),
                _("the manifest is damaged ({why})").format(why=e),
                _("use another snapshot: mailbot verify --backup tells which are sound"),
            )
        ) from e
    return manifest


def _check_names(manifest: Manifest) -> None:
    for name, digest in manifest.files.items():
        path = PurePosixPath(name)
        if path.is_absolute() or ".." in path.parts or str(path) != name or "\x00" in name:
            raise ValueError(f"a path that leads elsewhere: {name!r}")
        if not _DIGEST.fullmatch(digest):
            raise ValueError(f"no digest: {name!r}")
    if not all(_DIGEST.fullmatch(one) for one in manifest.damaged):
        raise ValueError("no digest among the damaged")
    if not all(isinstance(n, int) for n in (manifest.mails, *manifest.counts.values())):
        raise ValueError("no count")
