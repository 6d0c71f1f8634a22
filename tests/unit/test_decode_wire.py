"""`IncomingMail` as JSON."""

from __future__ import annotations

import json
from datetime import datetime, timedelta, timezone

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mailbot.core.mail.model import (
    Address,
    Attachment,
    AttachmentKind,
    CloudAttachment,
    Defect,
    DefectCode,
    IncomingMail,
    NestedMail,
    SecretsMark,
)
from mailbot.core.mail.wire import from_json, to_json

TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
ADDRESSES = st.lists(st.builds(Address, TEXT, TEXT), max_size=2).map(tuple)
MOMENTS = st.datetimes(
    min_value=datetime(1901, 1, 1),
    timezones=st.integers(-840, 840).map(lambda m: timezone(timedelta(minutes=m))),
)
HEADERS = st.lists(st.tuples(TEXT, TEXT), max_size=2).map(tuple)
ATTACHMENTS = st.lists(
    st.builds(
        Attachment,
        TEXT, TEXT, st.sampled_from(AttachmentKind), st.integers(0, 2**40), TEXT, TEXT, st.booleans(),
        TEXT, st.lists(TEXT, max_size=2).map(tuple),
    ),
    max_size=2,
).map(tuple)  # fmt: skip
NESTED = st.lists(
    st.builds(NestedMail, TEXT, TEXT, ADDRESSES, st.none() | TEXT, TEXT, ATTACHMENTS, HEADERS), max_size=2
).map(tuple)  # fmt: skip
MAILS = st.builds(
    IncomingMail,
    size=st.integers(0, 2**40), sha256=TEXT, content_key=TEXT, headers=HEADERS, subject=TEXT, from_=ADDRESSES,
    sender=st.none() | st.builds(Address, TEXT, TEXT), return_path=st.none() | st.just(Address("")),
    message_id=st.none() | TEXT, references=st.lists(TEXT, max_size=3).map(tuple), date=st.none() | MOMENTS,
    received=st.lists(MOMENTS, max_size=2).map(tuple), text=TEXT, html=TEXT, content_type=TEXT,
    attachments=ATTACHMENTS, nested=NESTED, calendar=st.lists(TEXT, max_size=2).map(tuple),
    cloud_attachments=st.lists(st.builds(CloudAttachment, TEXT, TEXT), max_size=2).map(tuple),
    secrets=st.lists(st.builds(SecretsMark, TEXT, TEXT, st.booleans()), max_size=2).map(tuple),
    defects=st.lists(st.builds(Defect, st.sampled_from(DefectCode), TEXT, TEXT), max_size=2).map(tuple),
)  # fmt: skip


@settings(max_examples=150, deadline=None)
@given(MAILS)
def test_round_trip(mail: IncomingMail) -> None:
    back = from_json(to_json(mail))
    assert back == mail
    assert (back.date and back.date.utcoffset()) == (mail.date and mail.date.utcoffset())
    assert "\n" not in to_json(mail)


def test_a_mail_of_another_version_is_read() -> None:
    stored = json.loads(to_json(IncomingMail(size=1, sha256="a", content_key="b", subject="x")))
    assert set(stored) == {"size", "sha256", "content_key", "subject"}
    assert from_json(json.dumps(stored | {"later": [1]})).subject == "x"


@pytest.mark.parametrize(
    "change",
    [
        {"size": "1"}, {"size": True}, {"size": None}, {"subject": 5}, {"from_": "x"}, {"from_": [5]},
        {"from_": [{"name": "x"}]}, {"headers": [["a"]]}, {"headers": [["a", "b", "c"]]}, {"date": "yesterday"},
        {"date": "2026-08-03T10:00:00"}, {"defects": [{"code": "new", "where": ""}]}, {"message_id": 1},
        {"attachments": {}},
    ],
)  # fmt: skip
def test_what_is_no_mail_is_refused(change: dict[str, object]) -> None:
    whole = {"size": 1, "sha256": "a", "content_key": "b"} | change
    with pytest.raises(ValueError):
        from_json(json.dumps(whole))


@pytest.mark.parametrize("text", ["", "null", "[]", "{}", "5", "{", "[" * 100_000])
def test_what_is_no_object_is_refused(text: str) -> None:
    with pytest.raises(ValueError):
        from_json(text)
