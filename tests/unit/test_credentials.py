"""Codes and tokens: where they may lie, what is refused, and that they never show."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from mailbot.adapters.settings.credentials import CredentialKind, read_credential, write_credential
from mailbot.app.errors import OperatorFault

CODE = "ABCDEFGHIJKLMNOP"


def private(path: Path, content: bytes = CODE.encode()) -> Path:
    path.write_bytes(content)
    path.chmod(0o600)
    return path


def faults(*arguments: object) -> str:
    with pytest.raises(OperatorFault) as caught:
        read_credential(*arguments)  # type: ignore[arg-type]
    assert CODE not in str(caught.value)
    return str(caught.value)


def test_a_variable_and_a_file_give_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OFFICE_CODE", CODE)
    assert read_credential("OFFICE_CODE", None).value == CODE
    assert read_credential(None, private(tmp_path / "code")).value == CODE


@pytest.mark.parametrize(
    "content",
    [
        b"\xef\xbb\xbfABCDEFGHIJKLMNOP\r\n",
        CODE.encode("utf-16"),
        b"\xfe\xff" + CODE.encode("utf-16-be"),
        b"  ABCDEFGHIJKLMNOP \n\n",
        "\u3000ABCDEFGHIJKLMNOP\u200b\n".encode(),
    ],
    ids=["notepad-bom", "utf16-le", "utf16-be", "blanks", "ideographic-space"],
)
def test_what_editors_leave_around_a_code_is_taken_off(tmp_path: Path, content: bytes) -> None:
    assert read_credential(None, private(tmp_path / "code", content)).value == CODE


def test_blanks_inside_a_password_and_chinese_ones_are_kept(tmp_path: Path) -> None:
    file = private(tmp_path / "code", "两 个 词\n".encode())
    assert read_credential(None, file).value == "两 个 词"


@pytest.mark.parametrize(
    "content",
    [b"", b"\n \r\n", b"ABCDEFGHIJKLMNOP\nABCDEFGHIJKLMNOP\n", b"ABCD\x00EFGH", b"\xff\xfe\x00",
     b"\xb2\xe2\xca\xd4\xff", "ＡＢＣＤ１２３４".encode(), b"x" * 70_000],
    ids=["empty", "blank", "two-lines", "nul", "odd-utf16", "not-text", "full-width", "a-wrong-file"],
)  # fmt: skip
def test_a_file_that_is_no_code_is_named(tmp_path: Path, content: bytes) -> None:
    file = private(tmp_path / "code", content)
    assert str(file) in faults(None, file)


@pytest.mark.parametrize("mode", [0o644, 0o640, 0o660, 0o604, 0o601])
def test_a_file_others_can_reach_is_refused_with_the_command(tmp_path: Path, mode: int) -> None:
    file = private(tmp_path / "code")
    file.chmod(mode)
    assert f"chmod 600 {file}" in faults(None, file)


def test_owner_and_mode_are_told_together(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = private(tmp_path / "code")
    file.chmod(0o644)
    monkeypatch.setattr(os, "geteuid", lambda: file.stat().st_uid + 1)
    told = faults(None, file)
    assert "chown" in told and "chmod 600" in told


def test_what_is_no_file_is_told_and_a_pipe_does_not_hang(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe", 0o600)
    for path in (tmp_path / "nowhere", tmp_path, tmp_path / "pipe"):
        assert str(path) in faults(None, path)


def test_an_unset_or_empty_variable_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("OFFICE_CODE", raising=False)
    assert "OFFICE_CODE" in faults("OFFICE_CODE", None)
    monkeypatch.setenv("OFFICE_CODE", " ")
    assert "OFFICE_CODE" in faults("OFFICE_CODE", None)
    assert "credential_file" in faults(None, None)


def test_systemd_hands_the_file_over(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """LoadCredential gives files of root, readable through an ACL: mode and owner are its own."""
    loaded = tmp_path / "credentials"
    loaded.mkdir()
    (loaded / "otog.code").write_text("fromsystemd")
    (loaded / "otog.code").chmod(0o440)
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(loaded))
    assert read_credential(None, tmp_path / "elsewhere" / "otog.code").value == "fromsystemd"
    other = private(tmp_path / "other.code")
    assert read_credential(None, other).value == CODE


def test_a_rotated_token_is_seen_without_a_restart(tmp_path: Path) -> None:
    file = tmp_path / "token"
    write_credential(file, "first")
    assert read_credential(None, file, "oauth2").value == "first"
    write_credential(file, "second")
    found = read_credential(None, file, "oauth2")
    assert (found.value, found.kind) == ("second", CredentialKind.OAUTH2)


def test_a_credential_never_shows(tmp_path: Path) -> None:
    found = read_credential(None, private(tmp_path / "code"))
    assert CODE not in f"{found!r} {found} {[found]}"


def test_a_code_is_written_for_us_alone_whatever_the_umask(tmp_path: Path) -> None:
    old = os.umask(0)
    try:
        write_credential(tmp_path / "a" / "b" / "code", CODE)
    finally:
        os.umask(old)
    assert stat.S_IMODE((tmp_path / "a" / "b" / "code").stat().st_mode) == 0o600
    assert stat.S_IMODE((tmp_path / "a").stat().st_mode) == 0o700
    assert read_credential(None, tmp_path / "a" / "b" / "code").value == CODE


def test_a_failed_write_leaves_the_old_code_and_nothing_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_credential(tmp_path / "code", "old")

    def full(_handle: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space"):
        write_credential(tmp_path / "code", "new")
    assert [p.name for p in tmp_path.iterdir()] == ["code"]
    assert read_credential(None, tmp_path / "code").value == "old"
