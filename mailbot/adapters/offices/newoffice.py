"""Writes the folder of a new office from a commented skeleton (`mailbot rules new`).

What it writes passes `mailbot rules check` as it stands, with invented units and one case; every
line of it is meant to be changed. Never overwrites.
"""

from __future__ import annotations

import re
import shutil
from pathlib import Path

from mailbot.app.errors import Fault, OperatorFault

SKELETON = Path(__file__).parent / "skeleton"
_NAME = re.compile(r"[a-z][a-z0-9_-]{1,31}")
_PREFIX = re.compile(r'^\s*receipt_prefix\s*=\s*"([A-Z]{2,6})"', re.MULTILINE)
ID_MARK, PREFIX_MARK = "__OFFICE__", "__PREFIX__"


def write_office(root: Path, name: str) -> list[Path]:
    """Writes `root/name` and returns its files. Raises `OperatorFault` and writes nothing where the
    name will not do or the folder is there."""
    target = root / name
    if not _NAME.fullmatch(name):
        expected = "用小写英文字母开头，只用小写字母、数字、短横、下划线，二至三十二个，例如 laiwu"
        raise OperatorFault(Fault(name, "不能作办公室的标识", expected))
    if target.exists():
        raise OperatorFault(Fault(str(target), "已经有这个文件夹", "换一个名字，或先把它移走"))
    # Made beside the offices and renamed: one is there whole or not at all.
    made = root.with_name(f".{root.name}-{name}.new")
    shutil.rmtree(made, ignore_errors=True)
    prefix = _free_prefix(name, root)
    written: list[Path] = []
    for source in sorted(SKELETON.rglob("*")):
        if source.suffix not in (".toml", ".md") or not source.is_file():
            continue
        text = source.read_text(encoding="utf-8")
        path = made / source.relative_to(SKELETON)
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(
                text.replace(ID_MARK, name).replace(PREFIX_MARK, prefix), encoding="utf-8"
            )
        except OSError as error:
            found = f"写不进去（{error.strerror or error}）"
            raise OperatorFault(Fault(str(path), found, "用 --path 换一个能写的文件夹")) from None
        written.append(target / source.relative_to(SKELETON))
    try:
        root.mkdir(parents=True, exist_ok=True)
        made.rename(target)
    except OSError as error:
        raise OperatorFault(Fault(str(target), f"写不进去（{error.strerror or error}）")) from None
    return written


def _free_prefix(name: str, root: Path) -> str:
    """Two to six capital letters that no office beside it uses for its receipt numbers."""
    taken: set[str] = set()
    for file in root.glob("*/office.toml"):
        taken.update(_PREFIX.findall(file.read_text(encoding="utf-8", errors="replace")))
    letters = re.sub(r"[^A-Z]", "", name.upper()) + "XYZWVU"
    options = [letters[:n] for n in range(2, 7)]
    options += [letters[0] + chr(c) for c in range(ord("A"), ord("Z") + 1)]
    return next((o for o in options if o not in taken), letters[:6])
