"""The rule book as if one day's versions had always held, to re-score a past period with them.

What was not written yet on that day, or was repealed, gives nothing; that nothing at all was
written yet is `NoRuleInForce`.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import date

from mailbot.core.rules.basis import NoRuleInForce, in_force
from mailbot.core.rules.kinds import Rule, Version
from mailbot.core.rules.rulebook import OfficeBook
from mailbot.core.rules.scorebook import ListRule, Quota, Ranking

ALWAYS = date.min


def book_start(book: OfficeBook) -> date | None:
    """The earliest first day of the office's rules, quotas and rankings: before it nothing can be
    judged. None when it has none of them (a ledger of tasks)."""
    scoring = book.scoring
    starts = [v.start for rule in scoring.rules for v in rule.versions]
    starts += [v.start for quota in book.quotas for v in quota.versions]
    starts += [ranking.start for ranking in scoring.rankings]
    return min(starts, default=None)


def as_if(book: OfficeBook, day: date) -> OfficeBook:
    """The book with the versions in force on `day`, each of them from the beginning of time.

    Rules, quotas and lists that did not exist yet stay in it, so that what refers to them still
    finds them, but give nothing. Raises `NoRuleInForce` for a day before the book's first.
    """
    start = book_start(book)
    if start is None or day < start:
        raise NoRuleInForce(book.info.id, "规则、报送任务或排名", day)
    scoring = replace(
        book.scoring,
        rules=tuple(_rule(rule, day) for rule in book.scoring.rules),
        rankings=_rankings(book.scoring.rankings, day),
        lists=tuple(_list(one, day) for one in book.scoring.lists),
    )
    quotas = tuple(_quota(quota, day) for quota in book.quotas)
    return replace(book, scoring=scoring, quotas=quotas)


def _rule(rule: Rule, day: date) -> Rule:
    version = in_force(rule.versions, day)
    if version is None:
        version = Version(ALWAYS, rule.versions[0].basis, None)
    return replace(rule, versions=(replace(version, start=ALWAYS),))


def _quota(quota: Quota, day: date) -> Quota:
    version = in_force(quota.versions, day)
    return replace(quota, versions=() if version is None else (replace(version, start=ALWAYS),))


def _rankings(rankings: tuple[Ranking, ...], day: date) -> tuple[Ranking, ...]:
    ranking = in_force(rankings, day)
    return () if ranking is None else (replace(ranking, start=ALWAYS),)


def _list(one: ListRule, day: date) -> ListRule:
    version = in_force(one.versions, day)
    return replace(one, versions=() if version is None else (replace(version, start=ALWAYS),))
