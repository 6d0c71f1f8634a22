"""A real LibreOffice for the tests: what a Word file looks like on paper.

    pdf = pdf_of(docx)          # bytes in, bytes out
    pages_of(pdf)               # the text of each page
    png_of(pdf, 1)              # a picture of a page
    layout_of(pdf)              # every word with its place, in points

Each conversion runs in a private profile with a private list of fonts: the fonts a notice names
(仿宋_GB2312, 方正小标宋简体 …) are stood in for by Fandol's where they are found, else by Noto's,
and nothing depends on who runs the tests. `.ci/do servers` installs what is needed; `missing()`
says what is not there.
"""

from __future__ import annotations

import functools
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from xml.sax.saxutils import unescape

_ROOT = Path(__file__).resolve().parents[2]
_TIMEOUT = 180
"""Seconds; a conversion takes about three, the first one on a busy machine far more."""
_FANDOL = (
    Path(sys.prefix) / "share" / "fonts" / "fandol",
    _ROOT / ".venv" / "share" / "fonts" / "fandol",
    Path("/usr/share/texlive/texmf-dist/fonts/opentype/public/fandol"),
    Path("/usr/share/texmf/fonts/opentype/public/fandol"),
)
_STAND_INS = {
    "仿宋_GB2312": ("FandolFang R", "Noto Serif CJK SC"),
    "方正小标宋简体": ("FandolSong", "Noto Serif CJK SC"),
    "楷体_GB2312": ("FandolKai", "Noto Serif CJK SC"),
    "黑体": ("FandolHei", "Noto Sans CJK SC"),
    "宋体": ("FandolSong", "Noto Serif CJK SC"),
}


@dataclass(frozen=True, slots=True)
class Line:
    """A line of text on a page; lengths in points, from the page's upper left corner."""

    left: float
    top: float
    right: float
    bottom: float
    text: str


@dataclass(frozen=True, slots=True)
class Page:
    width: float
    height: float
    lines: tuple[Line, ...]
    """From top to bottom; what stands side by side (cells) are lines of their own."""


def missing() -> str | None:
    """The Debian package that is not installed here; None when all is there."""
    if _soffice() is None:
        return "libreoffice-writer-nogui"
    if not all(map(shutil.which, ("pdftotext", "pdftoppm", "pdfinfo"))):
        return "poppler-utils"
    if not _has_noto():
        return "fonts-noto-cjk"
    if _fandol() is None:
        return "texlive-lang-chinese (its Fandol fonts; sh .ci/do servers unpacks them)"
    return None


def pdf_of(docx: bytes) -> bytes:
    """Raises `RuntimeError` with the program's words when nothing came out."""
    with tempfile.TemporaryDirectory(prefix="office-") as folder:
        home = Path(folder)
        (home / "in.docx").write_bytes(docx)
        (home / "fonts.conf").write_text(_font_configuration(), encoding="utf-8")
        command = [
            str(_soffice()), "--headless", "--norestore", "--nologo",
            f"-env:UserInstallation={(home / 'profile').as_uri()}",
            "--convert-to", "pdf:writer_pdf_Export", "--outdir", folder, str(home / "in.docx"),
        ]  # fmt: skip
        environment = os.environ | {
            "FONTCONFIG_FILE": str(home / "fonts.conf"),
            "HOME": folder,
            "LC_ALL": "C.UTF-8",
            "SAL_USE_VCLPLUGIN": "svp",
        }
        said = _run(command, environment)
        try:
            return (home / "in.pdf").read_bytes()
        except FileNotFoundError:
            raise RuntimeError(f"soffice wrote no PDF: {said}") from None


def pages_of(pdf: bytes) -> list[str]:
    """The text of each page, as pdftotext lays it out."""
    text = _poppler(pdf, "pdftotext", "-layout", "-enc", "UTF-8", "{pdf}", "-").decode(
        "utf-8", "replace"
    )
    return text.split("\f")[:-1]


def png_of(pdf: bytes, page: int, *, dpi: int = 80) -> bytes:
    """A picture of a page; the first is 1."""
    number = str(page)
    return _poppler(pdf, "pdftoppm", "-png", "-r", str(dpi), "-f", number, "-l", number, "{pdf}")


def layout_of(pdf: bytes) -> list[Page]:
    xml = _poppler(pdf, "pdftotext", "-bbox-layout", "-enc", "UTF-8", "{pdf}", "-").decode(
        "utf-8", "replace"
    )
    pages = []
    for width, height, inside in re.findall(
        r'<page width="([\d.]+)" height="([\d.]+)">(.*?)</page>', xml, re.DOTALL
    ):
        lines = []
        for place, words in re.findall(r"<line ([^>]*)>(.*?)</line>", inside, re.DOTALL):
            x0, y0, x1, y1 = (float(v) for v in re.findall(r'"(-?[\d.]+)"', place))
            texts = re.findall(r"<word [^>]*>(.*?)</word>", words, re.DOTALL)
            lines.append(Line(x0, y0, x1, y1, " ".join(map(unescape, texts))))
        lines.sort(key=lambda line: (round(line.top), line.left))
        pages.append(Page(float(width), float(height), tuple(lines)))
    return pages


def _run(command: list[str], environment: dict[str, str]) -> str:
    """soffice starts children of its own: all of the group are ended when time is up."""
    with subprocess.Popen(
        command,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        start_new_session=True,
    ) as process:
        try:
            out, _ = process.communicate(timeout=_TIMEOUT)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.communicate()
            raise RuntimeError(f"soffice did not finish within {_TIMEOUT} s") from None
    return out.decode("utf-8", "replace").strip()


def _poppler(pdf: bytes, *command: str) -> bytes:
    with tempfile.NamedTemporaryFile(suffix=".pdf") as file:
        file.write(pdf)
        file.flush()
        words = [word.format(pdf=file.name) for word in command]
        return subprocess.run(words, check=True, capture_output=True, timeout=_TIMEOUT).stdout


def _soffice() -> str | None:
    return shutil.which("soffice") or shutil.which("libreoffice")


def _fandol() -> Path | None:
    return next((f for f in _FANDOL if (f / "FandolFang-Regular.otf").is_file()), None)


@functools.cache
def _has_noto() -> bool:
    if shutil.which("fc-list") is None:
        return False
    listed = subprocess.run(
        ["fc-list", ":", "family"], capture_output=True, text=True, timeout=60, check=False
    )
    return "Noto Serif CJK SC" in listed.stdout


def _font_configuration() -> str:
    """The cache of font files is shared by all conversions; the rest is written for each."""
    aliases = "".join(
        f'<match target="pattern"><test name="family" compare="eq"><string>{name}</string></test>'
        '<edit name="family" mode="assign" binding="strong">'
        + "".join(f"<string>{stand_in}</string>" for stand_in in stand_ins)
        + "</edit></match>"
        for name, stand_ins in _STAND_INS.items()
    )
    cache = Path(tempfile.gettempdir()) / f"mailbot-font-cache-{os.getuid()}"
    return (
        '<?xml version="1.0"?><!DOCTYPE fontconfig SYSTEM "fonts.dtd"><fontconfig>'
        f"<dir>{_fandol() or ''}</dir><dir>/usr/share/fonts</dir><cachedir>{cache}</cachedir>"
        f"{aliases}</fontconfig>"
    )
