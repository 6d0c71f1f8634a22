"""Every address finds its provider."""

from __future__ import annotations

import pytest

from mailbot.adapters.settings.providers import profile_for, provider_ids
from mailbot.app.errors import OperatorFault


@pytest.mark.parametrize(
    ("address", "profile", "imap", "smtp"),
    [
        ("otog_xxk@163.com", "163", "imap.163.com", "smtp.163.com"),
        ("Otog_XXK@163.COM ", "163", "imap.163.com", "smtp.163.com"),
        ("x@126.com", "126", "imap.126.com", "smtp.126.com"),
        ("x@yeah.net", "yeah", "imap.yeah.net", "smtp.yeah.net"),
        ("x@vip.163.com", "vip163", "imap.vip.163.com", "smtp.vip.163.com"),
        ("10001@qq.com", "qq", "imap.qq.com", "smtp.qq.com"),
        ("x@foxmail.com", "foxmail", "imap.qq.com", "smtp.qq.com"),
        ("x@aliyun.com", "aliyun", "imap.aliyun.com", "smtp.aliyun.com"),
        ("x@sina.cn", "sina", "imap.sina.cn", "smtp.sina.cn"),
        ("xxs@otog.gov.cn", "generic", "imap.otog.gov.cn", "smtp.otog.gov.cn"),
        ("x@notqq.com", "generic", "imap.notqq.com", "smtp.notqq.com"),
        ("163.com", "163", "imap.163.com", "smtp.163.com"),
    ],
)
def test_by_address(address: str, profile: str, imap: str, smtp: str) -> None:
    found = profile_for(address)
    assert (found.id, found.imap.host, found.smtp.host) == (profile, imap, smtp)


@pytest.mark.parametrize(
    ("name", "imap"),
    [
        ("coremail", "imap.otog.gov.cn"),
        ("exmail", "imap.exmail.qq.com"),
        ("qiye.aliyun", "imap.qiye.aliyun.com"),
        ("qiye163", "imap.qiye.163.com"),
        ("163", "imap.163.com"),
        ("generic", "imap.otog.gov.cn"),
    ],
)
def test_by_name_with_a_domain_of_ones_own(name: str, imap: str) -> None:
    assert profile_for(name, "xxs@otog.gov.cn").imap.host == imap


def test_a_misspelt_name_is_refused_with_the_nearest() -> None:
    with pytest.raises(OperatorFault, match="coremail"):
        profile_for("coremial", "x@otog.gov.cn")


def test_netease_is_asked_for_what_it_demands() -> None:
    """ID before SELECT, no IDLE, three spam folders, Sent filed by the server (measured facts)."""
    for name in ("163", "126", "yeah", "188", "vip163", "qiye163"):
        found = profile_for(name)
        assert found.send_id and not found.idle and found.files_sent_itself
        assert found.spam_folders == ("垃圾邮件", "广告邮件", "订阅邮件")


@pytest.mark.parametrize("name", provider_ids())
def test_every_profile_is_encrypted_and_tells_the_office_how_to_get_in(name: str) -> None:
    found = profile_for(name, "x@example.cn")
    assert {found.imap.security, found.smtp.security} <= {"tls", "starttls"}
    assert "{" not in found.imap.host + found.smtp.host
    assert found.hint.endswith("。") and found.login_help.endswith("。") and found.code_name
