"""Codes that a person reads off a draft mail and writes back."""

from __future__ import annotations

from mailbot.adapters.signing import Signer
from mailbot.app.notices.draftmail import code_key, shown, token_digest

SIGNS = set("ABCDEFGHJKLMNPQRSTUVWXYZ23456789")
SIGNER = Signer(b"s" * 32)


def test_a_code_belongs_to_one_draft_address_and_installation() -> None:
    own = SIGNER.code(code_key(12, "boss@example.org"))
    assert own == Signer(b"s" * 32).code(code_key(12, "boss@example.org"))
    others = {
        SIGNER.code(code_key(13, "boss@example.org")),
        SIGNER.code(code_key(12, "staff@example.org")),
        Signer(b"t" * 32).code(code_key(12, "boss@example.org")),
        SIGNER.message_id(code_key(12, "boss@example.org"), "example.org")[3:11].upper(),
    }
    assert len(others) == 4 and own not in others


def test_codes_use_every_sign_in_every_place_and_no_doubtful_one() -> None:
    codes = [SIGNER.code(str(n)) for n in range(2000)]
    assert len(set(codes)) == 2000
    assert all(len(code) == 8 for code in codes)
    assert [set(place) for place in zip(*codes, strict=True)] == [SIGNS] * 8


def test_a_code_is_known_however_it_was_typed() -> None:
    code = SIGNER.code("x")
    assert shown(code) == f"{code[:4]}-{code[4:]}"
    dresses = (code, shown(code), code.lower(), f" {code[:4]} － {code[4:].lower()} ")
    assert len({token_digest(dress) for dress in dresses}) == 1
    assert token_digest(code) != token_digest(SIGNER.code("y"))
    assert shown("") == ""
