"""Only what our own server says about the sender counts (RFC 8601)."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mailbot.core.mail.authentication import AuthResult, aligned, authentication
from mailbot.core.mail.model import IncomingMail

OURS = frozenset({"mx.163.com"})


def verdict(*values: str, domain: str = "qq.com", ours: frozenset[str] = OURS) -> AuthResult:
    headers = (("Received", "x"), *(("authentication-results", v) for v in values))
    mail = IncomingMail(size=1, sha256="", content_key="", headers=headers)
    return authentication(mail, ours, domain)


@pytest.mark.parametrize(
    "value",
    [
        "mx.163.com; dmarc=pass header.from=qq.com",
        "MX.163.com 1; spf=none; dmarc=pass (p=reject dis=none) header.from=qq.com",
        "mx.163.com; dkim=pass header.d=qq.com",
        "mx.163.com; dkim=pass (2048-bit key; unprotected) header.i=@mail.qq.com header.b=abc",
        'mx.163.com; dkim=pass reason="good; really" header.d="qq.com"',
        "mx.163.com; spf=pass smtp.mailfrom=a@qq.com; dkim=fail header.d=qq.com",
        "mx.163.com; spf=pass smtp.mail=a@qq.com",
        "mx.163.com; dkim=fail header.d=qq.com; dkim=pass header.d=qq.com",
        "mx.163.com; spf=fail smtp.mailfrom=a@list.cn; dkim=pass header.d=qq.com",
        "mx.163.com; dkim/1 = pass header.d = qq.com",
    ],
)
def test_a14_passes(value: str) -> None:
    assert verdict(value) is AuthResult.PASS


@pytest.mark.parametrize(
    "value",
    [
        "mx.163.com; dmarc=fail (p=none) header.from=qq.com",
        "mx.163.com; dkim=pass header.d=evil.cn; dmarc=fail header.from=qq.com",
        "mx.163.com; spf=fail smtp.mailfrom=a@qq.com; dkim=none",
        "mx.163.com; spf=hardfail smtp.mailfrom=a@qq.com",
        "mx.163.com; spf=fail smtp.mailfrom=a@qq.com; dkim=pass header.d=evil.cn",
    ],
)
def test_fails(value: str) -> None:
    assert verdict(value) is AuthResult.FAIL


@pytest.mark.parametrize(
    "value",
    [
        "mx.163.com; none",
        "mx.163.com",
        "",
        ";;;==;",
        "mx.163.com; spf=softfail smtp.mailfrom=a@qq.com",
        "mx.163.com; spf=neutral smtp.mailfrom=a@qq.com; dkim=none",
        "mx.163.com; spf=temperror; dmarc=permerror",
        "mx.163.com; dkim=fail (body hash did not verify) header.d=qq.com",
        "mx.163.com; dkim=pass header.d=evil.cn",
        "mx.163.com; spf=pass smtp.mailfrom=a@evil.cn",
        "mx.163.com; spf=pass smtp.helo=qq.com",
        "mx.163.com; spf=pass",
        "mx.163.com; dkim=pass header.d=notqq.com",
        "mx.163.com; dkim=pass header.d=com",
        # said in a comment, in a quoted reason, in another method's name: nobody said it
        "mx.163.com; none (dmarc=pass header.from=qq.com)",
        "mx.163.com; none (a (b) ; dmarc=pass",
        'mx.163.com; spf=none reason="; dmarc=pass header.from=qq.com"',
        "mx.163.com; x-dmarc=pass header.from=qq.com",
    ],
)
def test_a14_says_nothing(value: str) -> None:
    assert verdict(value) is AuthResult.NONE


def test_a14_other_servers_are_not_believed() -> None:
    good, bad = "dmarc=pass header.from=qq.com", "dmarc=fail header.from=qq.com"
    assert verdict(f"mail.evil.cn; {good}") is AuthResult.NONE
    assert verdict(f"mx.163.com.evil.cn; {good}") is AuthResult.NONE
    assert verdict(f"(mx.163.com) evil.cn; {good}") is AuthResult.NONE
    assert verdict(f"mail.evil.cn; {bad}") is AuthResult.NONE
    assert verdict(f"evil.cn; {good}", f"mx.163.com; {bad}") is AuthResult.FAIL


def test_a14_only_the_topmost_of_ours_counts() -> None:
    good, bad = "mx.163.com; dmarc=pass", "mx.163.com; dmarc=fail"
    assert verdict(bad, good) is AuthResult.FAIL
    assert verdict(good, bad) is AuthResult.PASS
    assert verdict("mx.163.com; none", good) is AuthResult.NONE


def test_without_a_name_of_ours_or_an_author_nothing_counts() -> None:
    assert verdict("mx.163.com; dmarc=pass", ours=frozenset()) is AuthResult.NONE
    assert verdict("; dmarc=pass", ours=frozenset({""})) is AuthResult.NONE
    assert verdict("mx.163.com; dmarc=pass", domain="") is AuthResult.NONE


def test_alignment_stops_at_what_a_registry_hands_out() -> None:
    assert aligned("otog.gov.cn", "mail.otog.gov.cn")
    assert aligned("mail.otog.gov.cn", "otog.gov.cn")
    assert not aligned("gov.cn", "otog.gov.cn")
    assert not aligned("nm.cn", "otog.nm.cn")
    assert not aligned("com", "qq.com")
    assert not aligned("qq.com", "qq.com.evil.cn")
    assert not aligned("", "")


@settings(max_examples=150, deadline=None)
@given(st.text(alphabet='mx.163;= ()"\\dkimpasfrchen@qo1\u6587', max_size=120))
def test_any_text_gives_a_verdict_and_never_a_stranger_s_pass(value: str) -> None:
    assert verdict("evil.cn; " + value) is AuthResult.NONE
    assert verdict("mx.163.com; (" + value.replace(")", "").replace("\\", "")) is AuthResult.NONE
    verdict(value)
