"""`app.health.Health` as JSON for `/healthz` and as Prometheus' text for `/metrics`.

Nothing of a mail and nobody's address is in either: numbers, ages, the mailboxes' names from the
settings, and sentences that are masked already.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import Any

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import GaugeMetricFamily, Metric

from mailbot import __version__
from mailbot.app.health import Figures, Health, State


def as_json(health: Health) -> dict[str, Any]:
    found: dict[str, Any] = {
        "state": health.state.value,
        "at": health.at.isoformat(timespec="seconds"),
        "version": __version__,
        "reasons": [
            {"key": r.name, "state": r.state.value, "text": r.text} for r in health.reasons
        ],
        "free_bytes": health.free_bytes,
    }
    figures = health.figures
    if figures is None:
        return found
    return found | {
        "schema": figures.schema,
        "mailboxes": {
            name: {
                "search_age_seconds": _age(health.at, box.searched),
                "waiting": box.waiting,
                "oldest_waiting_seconds": _age(health.at, box.oldest),
            }
            for name, box in figures.mailboxes.items()
        },
        "letters": dict(figures.letters),
        "oldest_letter_seconds": _age(health.at, figures.oldest_letter),
        "held": figures.held,
        "tasks": dict(figures.tasks),
        "answers_last_hour": dict(figures.last_hour),
        "backup_age_seconds": _age(health.at, figures.last_backup),
        "workers": figures.workers,
        "leases": len(figures.leased),
    }


def as_metrics(health: Health) -> bytes:
    registry = CollectorRegistry()
    registry.register(_Collected(list(_metrics(health))))
    return generate_latest(registry)


class _Collected:
    """A look that was already taken, as `prometheus_client` wants to collect it."""

    def __init__(self, metrics: list[Metric]) -> None:
        self._metrics = metrics

    def collect(self) -> Iterable[Metric]:
        return self._metrics


def _metrics(health: Health) -> Iterator[Metric]:
    yield _labelled("mailbot_info", "Version.", "version", {__version__: 1})
    yield _labelled(
        "mailbot_state",
        "1 for the state the installation is in.",
        "state",
        {state.value: float(state is health.state) for state in State},
    )
    yield _labelled(
        "mailbot_trouble",
        "1 for each trouble that is on.",
        "key",
        {reason.name: 1 for reason in health.reasons},
    )
    yield _single("mailbot_database_up", "1: the database answers.", float(bool(health.figures)))
    if health.free_bytes is not None:
        yield _single("mailbot_disk_free_bytes", "Free where mail is kept.", health.free_bytes)
    if health.figures is not None:
        yield from _of_database(health.figures, health)


def _of_database(figures: Figures, health: Health) -> Iterator[Metric]:
    boxes, now = figures.mailboxes, health.at
    yield _labelled(
        "mailbot_mailbox_search_age_seconds",
        "Since the last good search.",
        "mailbox",
        {name: age for name, b in boxes.items() if (age := _age(now, b.searched)) is not None},
    )
    yield _labelled(
        "mailbot_mailbox_unprocessed",
        "Mails known and not decided.",
        "mailbox",
        {name: box.waiting for name, box in boxes.items()},
    )
    yield _labelled(
        "mailbot_mailbox_oldest_unprocessed_seconds",
        "Age of the mail that waits longest; 0: none waits.",
        "mailbox",
        {name: _age(now, box.oldest) or 0.0 for name, box in boxes.items()},
    )
    yield _labelled("mailbot_letters", "Letters not sent, by state.", "state", figures.letters)
    yield _single(
        "mailbot_oldest_letter_seconds",
        "Age of the letter that waits longest to be sent; 0: none waits.",
        _age(now, figures.oldest_letter) or 0.0,
    )
    yield _single("mailbot_items_held", "Items that wait for a person.", figures.held)
    yield _labelled("mailbot_tasks_open", "Open tasks.", "kind", figures.tasks)
    yield _single(
        "mailbot_oldest_task_seconds",
        "Age of the oldest open task; 0: none is open.",
        _age(now, figures.oldest_task) or 0.0,
    )
    yield _labelled(
        "mailbot_answers_last_hour", "Answers in the last hour.", "office", figures.last_hour
    )
    yield _labelled(
        "mailbot_answers_per_hour_limit", "Where the breaker trips.", "office", health.per_hour
    )
    if (age := _age(now, figures.last_backup)) is not None:
        yield _single("mailbot_backup_age_seconds", "Since the last backup.", age)
    yield _single("mailbot_workers", "Processes alive, where several share.", figures.workers)
    yield _single("mailbot_leases_held", "Leases held.", len(figures.leased))


def _single(name: str, told: str, value: float) -> Metric:
    return GaugeMetricFamily(name, told, value=value)


def _labelled(name: str, told: str, label: str, values: Any) -> Metric:
    family = GaugeMetricFamily(name, told, labels=[label])
    for word, value in sorted(values.items()):
        family.add_metric([word], value)
    return family


def _age(now: datetime, then: datetime | None) -> float | None:
    """Seconds; a moment that lies ahead (the clock was set back) is no age."""
    return None if then is None else max((now - then).total_seconds(), 0.0)
