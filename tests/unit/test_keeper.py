"""How several workers share mailboxes: each a real keeper on one list of leases, time by hand."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field

from mailbot.app.errors import Retryable
from mailbot.app.leases import DUTIES, Alone, Lease
from mailbot.daemon.keeper import Keeper

SECONDS = 30.0
NAMES = tuple(f"mailbox:{n}" for n in range(6))


@dataclass
class Table:
    """What the database would hold."""

    now: float = 0.0
    down: bool = False
    seen: dict[str, float] = field(default_factory=dict)
    rows: dict[str, tuple[str, int, float]] = field(default_factory=dict)


class Leases:
    """`app.leases.Leases` in memory."""

    def __init__(self, table: Table, worker: str) -> None:
        self.table, self.worker = table, worker

    def beat(self) -> int:
        if self.table.down:
            raise Retryable("away", code="database_down", systemic=True)
        self.table.seen[self.worker] = self.table.now
        return sum(self.table.now - seen < SECONDS for seen in self.table.seen.values())

    def acquire(self, name: str) -> Lease | None:
        if name not in self.free([name]):
            return None
        fence = self.table.rows.get(name, ("", 0, 0.0))[1] + 1
        self.table.rows[name] = (self.worker, fence, self.table.now + SECONDS)
        return Lease(name, self.worker, fence)

    def free(self, names: Collection[str]) -> frozenset[str]:
        rows, now = self.table.rows, self.table.now
        return frozenset(n for n in names if n not in rows or not rows[n][0] or rows[n][2] <= now)

    def renew(self, leases: Sequence[Lease]) -> frozenset[str]:
        kept = [x for x in leases if self.table.rows[x.name][:2] == (x.holder, x.fence)]
        for x in kept:
            self.table.rows[x.name] = (x.holder, x.fence, self.table.now + SECONDS)
        return frozenset(x.name for x in kept)

    def release(self, lease: Lease) -> None:
        if self.table.rows[lease.name][:2] == (lease.holder, lease.fence):
            self.table.rows[lease.name] = ("", lease.fence, 0.0)

    def leave(self) -> None:
        self.table.seen.pop(self.worker, None)


def keeper(table: Table, worker: str, names: Sequence[str] = NAMES) -> Keeper:
    return Keeper(Leases(table, worker), names, SECONDS, lambda: table.now)


def mailboxes(*keepers: Keeper) -> list[int]:
    return [len(k.held().keys() - {DUTIES}) for k in keepers]


def rounds(table: Table, *keepers: Keeper, count: int = 1) -> None:
    for _ in range(count):
        table.now += SECONDS / 3
        for each in keepers:
            each.tick()


def test_one_worker_takes_everything() -> None:
    table = Table()
    one = keeper(table, "one")
    one.tick()
    assert one.held().keys() == {DUTIES, *NAMES}
    assert [h.lease.fence for h in one.held().values()] == [1] * 7


def test_who_joins_gets_his_share_after_the_work_has_ended() -> None:
    table = Table()
    one, two = keeper(table, "one"), keeper(table, "two")
    one.tick()
    one.busy(NAMES)
    two.tick()
    rounds(table, one, two)
    assert mailboxes(one, two) == [3, 0], "given back only when nobody works on it any more"
    one.busy(NAMES[:3])
    rounds(table, one, two)
    assert mailboxes(one, two) == [3, 3]
    assert one.held().keys().isdisjoint(two.held())
    rounds(table, one, two, count=9)
    assert mailboxes(one, two) == [3, 3]


def test_what_the_dead_held_goes_to_the_living_within_the_lease_and_a_third() -> None:
    table = Table()
    three = [keeper(table, name) for name in ("one", "two", "three")]
    for each in three:
        each.tick()
    rounds(table, *three, count=2)
    assert mailboxes(*three) == [2, 2, 2]
    died = table.now
    while sum(mailboxes(*three[1:])) < 6:
        rounds(table, *three[1:])
        assert table.now <= died + SECONDS * 4 / 3
    assert mailboxes(*three[1:]) == [3, 3]
    assert any(DUTIES in each.held() for each in three[1:])


def test_who_cannot_renew_stops_in_time_and_knows_it() -> None:
    table = Table()
    one, two = keeper(table, "one"), keeper(table, "two")
    one.tick()
    holds = list(one.held().values())
    table.down = True
    table.now += SECONDS - 1
    assert mailboxes(one) == [6]
    table.now += 1
    assert one.held() == {}
    assert all(hold.until < table.now for hold in holds)
    table.down = False
    two.tick()
    assert mailboxes(one, two) == [0, 6]
    one.tick()
    assert mailboxes(one) == [0]


def test_a_sleeper_finds_out_by_the_clock_and_by_the_renewal() -> None:
    table = Table()
    one, two = keeper(table, "one"), keeper(table, "two")
    one.tick()
    (hold,) = [h for n, h in one.held().items() if n == NAMES[0]]
    table.now += 2 * SECONDS
    two.tick()
    one.tick()  # asleep till now: the renewal is refused
    assert hold.until < table.now
    assert one.held().keys().isdisjoint(two.held())


def test_what_the_others_do_not_know_is_taken_beyond_the_share() -> None:
    """Two hosts with different mailboxes in their settings."""
    table = Table()
    one, two = keeper(table, "one", NAMES[:3]), keeper(table, "two", NAMES[3:])
    one.tick()
    two.tick()
    rounds(table, one, two, count=8)
    assert mailboxes(one, two) == [3, 3]


def test_what_is_still_worked_on_is_not_taken_anew() -> None:
    table = Table()
    one = keeper(table, "one")
    one.tick()
    one.busy(NAMES)
    one.lose(one.held()[NAMES[0]])
    table.now += SECONDS + 1
    one.held()
    one.tick()
    assert mailboxes(one) == [0]
    one.busy(())
    one.tick()
    assert mailboxes(one) == [6]
    assert one.held()[NAMES[0]].lease.fence == 2


def test_at_the_end_nothing_is_taken_and_everything_still_renewed() -> None:
    table = Table()
    one = keeper(table, "one", NAMES[:1])
    one.tick()
    one.close()
    rounds(table, one, count=9)
    assert mailboxes(one) == [1]


def test_alone_it_holds_everything_for_ever_without_asking() -> None:
    table = Table()
    one = Keeper(Alone(), NAMES, SECONDS, lambda: table.now)
    one.tick()
    table.now += 1e9
    assert len(one.held()) == 7
