"""How long a year's standings take, from a cold process, beside the bare SQL over the same tables.

    .venv/bin/python -m tests.bench.standings [--units 1000] [--items 200000]

Makes a year of a large office (deterministic), then runs each command several times in processes
of its own and prints seconds, peak memory, and their ratio to the plain aggregate, for growing
numbers of items. Asserts nothing: machines differ, ratios taken in one run say something.
"""

from __future__ import annotations

import argparse
import os
import random
import shutil
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import insert

from mailbot.adapters.db import tables as t
from mailbot.adapters.db.engine import open_store
from mailbot.adapters.system import SHANGHAI

ROOT = Path(__file__).resolve().parents[2]
YEAR = 2025
OFFICE = "bench"
CATEGORIES = ("brief", "news", "news", "news", "roundup", "problem", "research")
RUNS = 5
BATCH = 5_000

FLOOR = f"""
import sqlite3, sys
db = sqlite3.connect(sys.argv[1])
rows = db.execute(
    "SELECT unit_id, month, category, COUNT(*) FROM item"
    " WHERE office = '{OFFICE}' AND month BETWEEN '{YEAR}-01-01' AND '{YEAR}-12-31'"
    " AND state IN ('accepted', 'withdrawal_requested') GROUP BY unit_id, month, category"
).fetchall()
records = db.execute(
    "SELECT r.unit_id, r.kind, COUNT(*) FROM record r LEFT JOIN item i ON i.id = r.item_id"
    " WHERE r.office = '{OFFICE}' GROUP BY r.unit_id, r.kind"
).fetchall()
print(len(rows), len(records))
"""


@dataclass(frozen=True, slots=True)
class Run:
    seconds: float
    megabytes: float


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--units", type=int, default=1_000)
    options.add_argument("--items", type=int, default=200_000)
    chosen = options.parse_args()
    print(f"{'items':>9} {'command':<22} {'seconds':>9} {'MB':>7} {'ratio':>7}")
    for items in (chosen.items // 4, chosen.items // 2, chosen.items):
        with tempfile.TemporaryDirectory(prefix="mailbot-bench-") as folder:
            _measure(Path(folder), chosen.units, items)


def _measure(folder: Path, units: int, items: int) -> None:
    config = _office(folder, units)
    database = folder / "data" / "mailbot.db"
    _fill(database, units, items)
    mailbot = [sys.executable, "-m", "mailbot", "--config", str(config)]
    commands = {
        "SQL GROUP BY": [sys.executable, "-c", FLOOR, str(database)],
        "mailbot --version": [*mailbot, "--version"],
        "standings, year": [*mailbot, "standings", OFFICE, str(YEAR), "--json"],
        "standings, quarter": [*mailbot, "standings", OFFICE, f"{YEAR}-Q4", "--json"],
        "statement, year": [*mailbot, "statement", "单位0007", str(YEAR), "--json"],
    }
    best: dict[str, Run] = {}
    for _ in range(RUNS):  # interleaved, so that a noisy minute hits all of them
        for name, command in commands.items():
            run = _run(command)
            if name not in best or run.seconds < best[name].seconds:
                best[name] = run
    floor = best["SQL GROUP BY"].seconds
    for name, run in best.items():
        ratio = run.seconds / floor
        print(f"{items:>9,} {name:<22} {run.seconds:>9.2f} {run.megabytes:>7.0f} {ratio:>7.1f}")


def _run(command: list[str]) -> Run:
    """One process from start to end: wall seconds, and its peak resident memory."""
    started = time.perf_counter()
    child = os.fork()
    if not child:
        os.chdir(ROOT)
        sink = os.open(os.devnull, os.O_WRONLY)
        os.dup2(sink, 1)
        os.execv(command[0], command)
    _pid, status, usage = os.wait4(child, 0)
    if status:
        raise SystemExit(f"failed: {' '.join(command)}")
    return Run(time.perf_counter() - started, usage.ru_maxrss / 1024)


# --- a large office ---------------------------------------------------------------------------


def _office(folder: Path, units: int) -> Path:
    """otog's rules with a made-up roster; the settings file."""
    target = folder / "config" / "offices" / OFFICE
    shutil.copytree(ROOT / "config" / "offices" / "otog", target)
    shutil.rmtree(target / "cases", ignore_errors=True)
    basis = 'basis = { document = "bench", clause = "bench" }'
    groups = "".join(f'[[group]]\nid = "group{n}"\nname = "第{n}组"\n{basis}\n' for n in (1, 2, 3))
    roster = "".join(
        f'[[unit]]\nid = "u{n:04d}"\nname = "单位{n:04d}"\ngroup = "group{n % 3 + 1}"\n'
        for n in range(units)
    )
    (target / "units.toml").write_text(groups + roster, encoding="utf-8")
    office = (target / "office.toml").read_text(encoding="utf-8").replace('"otog"', f'"{OFFICE}"')
    (target / "office.toml").write_text(office, encoding="utf-8")
    (folder / "data").mkdir()
    config = folder / "mailbot.toml"
    config.write_text(
        f'data_dir = "data"\nconfig_dir = "config"\n\n[[mailboxes]]\nname = "box"\n'
        f'kind = "maildir"\noffices = ["{OFFICE}"]\naddress = "bench@example.org"\n'
        'maildir = "mailbox"\noutgoing = { outbox = "outbox" }\n',
        encoding="utf-8",
    )
    return config


def _fill(database: Path, units: int, items: int) -> None:
    open_store(f"sqlite:///{database}").close()
    chance = random.Random(YEAR)
    engine_url = f"sqlite:///{database}"
    from sqlalchemy import create_engine

    engine = create_engine(engine_url)
    with engine.begin() as db:
        for table, rows in (
            (t.item, _items(units, items, chance)),
            (t.item_version, _versions(items)),
            (t.record, _records(units, items, chance)),
        ):
            batch: list[dict[str, Any]] = []
            for row in rows:
                batch.append(row)
                if len(batch) == BATCH:
                    db.execute(insert(table), batch)
                    batch.clear()
            if batch:
                db.execute(insert(table), batch)
        db.exec_driver_sql("ANALYZE")
    engine.dispose()


def _received(n: int, items: int) -> datetime:
    return datetime(YEAR, 1, 1, 9, tzinfo=SHANGHAI) + timedelta(seconds=n * 31_000_000 // items)


def _items(units: int, items: int, chance: random.Random) -> Iterator[dict[str, Any]]:
    for n in range(items):
        received = _received(n, items)
        yield {
            "id": n + 1,
            "receipt": f"BN{received:%Y%m}-{n:06d}",
            "office": OFFICE,
            "unit_id": f"u{chance.randrange(units):04d}",
            "state": "accepted" if chance.random() < 0.95 else "returned",
            "received": received,
            "month": received.date().replace(day=1),
            "version_no": 1,
            "from_addr": "liaison@example.org",
            "first_from_addr": "liaison@example.org",
            "channel": "mail",
            "evidence": "",
            "category": chance.choice(CATEGORIES),
            "commissioned": False,
            "follow_up": False,
            "title_key": f"第{n}条信息",
            "flags": [],
            "lane": "item",
            "created": received,
        }


def _versions(items: int) -> Iterator[dict[str, Any]]:
    for n in range(items):
        yield {
            "item_id": n + 1,
            "no": 1,
            "title": f"关于第{n}件工作进展情况的信息",
            "submitter": "张三",
            "contact": ["7620000"],
            "unit_written": "单位",
            "fields": {},
            "category": "news",
            "category_by": "default",
            "category_evidence": [],
            "attachment_paths": [],
            "topics": [],
            "scope": "",
            "created": _received(n, items),
        }


def _records(units: int, items: int, chance: random.Random) -> Iterator[dict[str, Any]]:
    """One item in ten is adopted, one in a hundred instructed, and some commissions done."""
    kinds = (
        ("adoption", 10, {"journal": "mryq", "form": "full"}),
        ("instruction", 100, {"level": "city"}),
        ("commission", 50, {"level": "own", "outcome": "done"}),
    )
    for kind, every, facts in kinds:
        for n in range(0, items, every):
            day: date = _received(n, items).date()
            yield {
                "office": OFFICE,
                "kind": kind,
                "unit_id": f"u{chance.randrange(units):04d}",
                "day": day,
                "item_id": None if kind == "commission" else n + 1,
                "facts": facts,
                "joint": False,
                "reason": "",
                "evidence": "",
                "source": "hand",
                "who": "bench",
                "at": _received(n, items),
            }


if __name__ == "__main__":
    main()
