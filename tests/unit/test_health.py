"""What counts as well, as somebody's business and as standing still."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from mailbot.app.board import Board
from mailbot.app.errors import Permanent, Retryable
from mailbot.app.health import Expected, Figures, MailboxFigures, State, gather
from mailbot.web.figures import as_json, as_metrics
from tests.unit import store_help as h

NOW = h.NOON
EXPECTED = Expected(mailboxes=("box",), per_hour={"otog": 300}, least_free=75_000_000)
GIGABYTE = 1_000_000_000


def ago(**span: float) -> Any:
    return NOW - timedelta(**span)


class Reads:
    def __init__(self, figures: Figures | Exception, free: int | None = 50 * GIGABYTE) -> None:
        self._figures, self._free = figures, free

    def figures(self, now: object) -> Figures:
        if isinstance(self._figures, Exception):
            raise self._figures
        return self._figures

    def free_bytes(self) -> int | None:
        return self._free


WELL = Figures(
    "0004", {"box": MailboxFigures(searched=ago(minutes=1))}, {"failed": 2}, last_backup=ago(days=1)
)


def states(
    figures: Figures | Exception = WELL,
    free: int | None = 50 * GIGABYTE,
    board: Board | None = None,
) -> Mapping[str, str]:
    health = gather(Reads(figures, free), board or Board(), EXPECTED, NOW)
    assert health.state is (health.reasons[0].state if health.reasons else State.OK)
    assert all(r.text.endswith("。") for r in health.reasons)
    return {r.key: r.state.value for r in health.reasons}


def box(**changes: Any) -> Figures:
    return replace(
        WELL, mailboxes={"box": MailboxFigures(**{"searched": ago(minutes=1)} | changes)}
    )


def test_all_is_well() -> None:
    assert states() == {}
    assert states(replace(WELL, last_backup=None)) == {}, "backups may be made by other means"
    assert states(WELL, free=None) == {}


@pytest.mark.parametrize(
    ("figures", "expected"),
    [
        (box(searched=None), {"mailbox:box": "degraded"}),
        (box(searched=ago(minutes=16)), {"mailbox:box": "degraded"}),
        (box(searched=ago(minutes=61)), {"mailbox:box": "failed"}),
        (box(searched=ago(hours=5), decided=ago(minutes=2)), {}),
        (box(waiting=3, oldest=ago(minutes=20)), {}),
        (box(waiting=3, oldest=ago(minutes=31)), {"waiting:box": "degraded"}),
        (box(waiting=3, oldest=ago(hours=5)), {"waiting:box": "failed"}),
        (replace(WELL, letters={"ready": 1}, oldest_letter=ago(minutes=50)), {}),
        (
            replace(WELL, letters={"retry": 1}, oldest_letter=ago(hours=2)),
            {"outbox": "degraded"},
        ),
        (replace(WELL, letters={"ready": 1}, oldest_letter=ago(hours=25)), {"outbox": "failed"}),
        (replace(WELL, letters={"unknown": 1}), {"unknown": "degraded"}),
        (replace(WELL, letters={"withheld": 9}), {"withheld": "degraded"}),
        (replace(WELL, last_hour={"otog": 299}), {}),
        (replace(WELL, last_hour={"otog": 300}), {"breaker:otog": "degraded"}),
        (replace(WELL, tasks={"bounce": 1}), {"bounced": "degraded"}),
        (replace(WELL, tasks={"hold": 49}), {}),
        (replace(WELL, tasks={"hold": 60}), {"tasks": "degraded"}),
        (replace(WELL, last_backup=ago(hours=49)), {"backup": "degraded"}),
        (replace(WELL, backup_lacks=2), {"backup": "degraded"}),
        (replace(WELL, mailboxes={}), {"mailbox:box": "degraded"}),
    ],
)
def test_from_when_on_something_is_wrong(figures: Figures, expected: dict[str, str]) -> None:
    assert states(figures) == expected


def test_a_database_that_is_away_fails_and_everything_else_is_told_too() -> None:
    board = Board()
    board.note("mailbox:box", "邮箱 box 的登录被拒绝。", NOW)
    found = states(Retryable("server away", code="database_down"), free=1, board=board)
    assert found == {"database": "failed", "disk": "failed", "mailbox:box": "degraded"}
    assert states(Permanent("damaged", code="database_corrupt")) == {"database": "failed"}


def test_disk_space_has_a_warning_before_the_end() -> None:
    assert states(free=301_000_000) == {}
    assert states(free=299_000_000) == {"disk": "degraded"}
    assert states(free=74_000_000) == {"disk": "failed"}


def test_the_part_s_own_words_win_and_the_worse_state_counts() -> None:
    board = Board()
    board.note("mailbox:box", "邮箱 box 的登录被拒绝：授权码过期。", NOW)
    health = gather(Reads(box(searched=ago(hours=2))), board, EXPECTED, NOW)
    (reason,) = health.reasons
    assert reason.state is State.FAILED and "授权码过期" in reason.text
    board.note("database", "数据库被另一个程序占着。", NOW)
    assert gather(Reads(WELL), board, EXPECTED, NOW).state is State.FAILED


def test_nobody_s_address_or_title_is_in_what_is_shown() -> None:
    board = Board()
    board.note(
        "delivery:zhangsan@example.org",
        "zhangsan@example.org 暂停发信：550 《关于上半年春耕物资储备情况的报告》 13812345678。",
        NOW,
    )
    health = gather(Reads(WELL), board, EXPECTED, NOW)
    shown = json.dumps(as_json(health), ensure_ascii=False) + as_metrics(health).decode()
    shown += health.reasons[0].text
    assert "zhangsan" not in shown and "春耕" not in shown and "12345678" not in shown
    assert health.reasons[0].key == "delivery:zhangsan@example.org", (
        "whose it is stays known inside"
    )


def test_a_clock_set_back_gives_no_negative_age() -> None:
    health = gather(Reads(box(searched=NOW + timedelta(hours=1))), Board(), EXPECTED, NOW)
    assert 'mailbot_mailbox_search_age_seconds{mailbox="box"} 0.0' in as_metrics(health).decode()


def test_metrics_without_a_database_are_metrics() -> None:
    text = as_metrics(gather(Reads(Retryable("x")), Board(), EXPECTED, NOW)).decode()
    assert "mailbot_database_up 0.0" in text and 'mailbot_state{state="failed"} 1.0' in text
    assert 'mailbot_trouble{key="database"} 1.0' in text


def test_a_label_is_escaped() -> None:
    odd = replace(WELL, tasks={'a"\n\\b': 1})
    text = as_metrics(gather(Reads(odd), Board(), EXPECTED, NOW)).decode()
    assert 'mailbot_tasks_open{kind="a\\"\\n\\\\b"} 1.0' in text
