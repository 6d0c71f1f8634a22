"""Every sample mail comes out as its .toml says; every return's corrected line works."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest

from mailbot.app.explain import Saved, explanation
from mailbot.core.mail.model import Address, IncomingMail
from mailbot.core.subject.form import BLANKS, corrected_subject
from mailbot.core.subject.model import FieldName
from tests.fixture_mails import Bench, Story, all_stories, chain, open_test_bench, saved

STORIES = all_stories()
CONTENT = {"content_missing", "cloud_attachment"}
SAMPLES = {
    FieldName.UNIT: "财政局",
    FieldName.TITLE: "财政衔接资金使用情况",
    FieldName.SUBMITTER: "张三",
    FieldName.CONTACT: "7622029",
}


@pytest.fixture(scope="module")
def bench() -> Iterator[Bench]:
    with open_test_bench() as office:
        yield Bench(office)


@pytest.mark.parametrize("one", STORIES, ids=lambda s: s.name)
def test_comes_out_as_written(one: Story, bench: Bench) -> None:
    settled = bench.run(saved(chain(one)))[-1]
    expect, decision = one.expect, settled.decision
    assert decision.kind.value == expect["decision"], decision.reasons
    answer = settled.answer.kind.value if settled.answer.letter and settled.answer.kind else "none"
    if "answer" in expect:
        assert answer == expect["answer"], settled.answer.none
    if "problems" in expect:
        assert sorted(p.code.value for p in decision.problems) == sorted(expect["problems"])
    if "missing" in expect:
        assert sorted(decision.missing) == sorted(expect["missing"])
    if "defects" in expect:
        assert set(expect["defects"]) <= {d.code.value for d in settled.mail.defects}
    if "automatic" in expect:
        assert settled.facts.automatic is not None
        assert settled.facts.automatic.kind.value == expect["automatic"]
    if "secrets" in expect:
        assert set(expect["secrets"]) <= {m.rule for m in settled.mail.secrets}
    if "links" in expect:
        links = {r.value for r, _ in (*decision.links, *decision.item_links)}
        assert set(expect["links"]) <= links
    if "items" in expect:
        items = explanation(settled)["items"]
        assert len(items) == len(expect["items"]), items
        for found, wanted in zip(items, expect["items"], strict=True):
            assert {k: _plain(found, k) for k in wanted} == wanted


def _plain(item: dict[str, Any], key: str) -> Any:
    """An expected key's value as `explain --json` gives it."""
    if key == "category":
        return item["category"]
    if key == "unit_name":
        return (item["fields"]["unit"] or {}).get("unit_name")
    if key == "contact":
        return [c["value"] for c in item["fields"]["contact"]]
    return (item["fields"][key] or {}).get("value", "")


@pytest.mark.parametrize(
    "one",
    [
        s
        for s in STORIES
        if s.expect["decision"] == "return" and "duplicate" not in s.expect.get("links", [])
    ],
    ids=lambda s: s.name,
)
def test_the_corrected_line_is_accepted_and_linked(one: Story, bench: Bench) -> None:
    """Pasted unchanged when it is complete; with its blanks filled in when something was nowhere
    to be found."""
    stories = saved(chain(one))
    returned = bench.run(stories)[-1]
    assert returned.decision.reading is not None
    line, complete = corrected_subject(returned.decision.reading, returned.facts.book.roster)
    if not complete:
        unfilled = bench.run([*stories, _pasted(line, returned.mail, stories[-1])])[-1]
        assert unfilled.decision.kind.value == "return", "a blank is no value"
        for name, blank in BLANKS.items():
            # A blank may name candidates: （请填报送单位：甲局或乙局）
            line = re.sub(re.escape(blank[:-1]) + r"[^）]*）", SAMPLES[name], line)
    settled = bench.run([*stories, _pasted(line, returned.mail, stories[-1])])[-1]
    problems = {p.code.value for p in returned.decision.problems}
    if problems & CONTENT:
        # The line alone cannot bring the content that was missing.
        assert {p.code.value for p in settled.decision.problems} <= CONTENT
        return
    assert settled.decision.kind.value == "accept", (line, settled.decision.reasons)
    assert "correction" in {r.value for r, _ in settled.decision.item_links}, line
    assert settled.items[0].receipt in {i.receipt for i in returned.items}
    assert settled.items[0].state.value == "accepted"


def _pasted(line: str, first: IncomingMail, after: Saved) -> Saved:
    """A new mail with the line as its subject and nothing else, from the same address."""
    author = first.author
    assert author is not None and after.received is not None
    mail = IncomingMail(
        size=1,
        sha256=f"pasted {line}",
        content_key=f"pasted {line}",
        subject=line,
        from_=(Address(author.addr),),
        headers=(("From", author.addr), ("Subject", line)),
        message_id="pasted@example.org",
    )
    return Saved("pasted", mail, after.received + timedelta(hours=1))
