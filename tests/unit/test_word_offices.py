"""An office's folder of Word templates: every file is for a letter, and sound."""

from __future__ import annotations

import shutil
from pathlib import Path

from mailbot.adapters.offices.rulefiles import load_office
from mailbot.adapters.system import shipped
from mailbot.adapters.word.example import example
from mailbot.adapters.word.offices import letters_with_documents, template_faults


def _office(tmp_path: Path) -> Path:
    shutil.copytree(shipped("config") / "offices" / "laiwu", tmp_path / "laiwu")
    folder = tmp_path / "laiwu" / "templates" / "word"
    folder.mkdir(parents=True)
    return folder


def test_the_example_is_sound_for_each_letter(tmp_path: Path) -> None:
    folder = _office(tmp_path)
    book = load_office(tmp_path / "laiwu")
    for name in letters_with_documents(book):
        (folder / f"{name}.docx").write_bytes(example())
    assert template_faults(tmp_path, book) == []


def test_a_file_for_no_letter_is_named_with_those_there_are(tmp_path: Path) -> None:
    folder = _office(tmp_path)
    (folder / "季度通报.docx").write_bytes(example())
    (folder / "~$quarter.docx").write_bytes(b"lock")
    book = load_office(tmp_path / "laiwu")
    (fault,) = template_faults(tmp_path, book)
    assert fault.where.endswith("季度通报.docx")
    assert "quarter.docx" in fault.remedy


def test_a_broken_template_is_told(tmp_path: Path) -> None:
    folder = _office(tmp_path)
    (folder / "quarter.docx").write_bytes(b"PK\x03\x04 nonsense")
    faults = template_faults(tmp_path, load_office(tmp_path / "laiwu"))
    assert faults and all(f.where.endswith("quarter.docx") for f in faults)
