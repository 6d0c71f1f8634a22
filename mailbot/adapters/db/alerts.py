"""Alarms in the database (`app.alerts.AlarmStore`)."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Row, select

from mailbot.adapters.db.engine import SqlStore
from mailbot.adapters.db.tables import alert
from mailbot.app.alerts import Alarm

UNCLOSED = select(alert).where(alert.c.told_over.is_(None)).order_by(alert.c.id)


class SqlAlarms:
    def __init__(self, store: SqlStore) -> None:
        self._store = store

    def unclosed(self) -> list[Alarm]:
        with self._store.snapshot() as db:
            return [_alarm(row) for row in db.execute(UNCLOSED)]

    def save(self, alarm: Alarm) -> int:
        values: dict[str, Any] = {
            "key": alarm.key,
            "host": alarm.host,
            "text": alarm.text,
            "began": alarm.began,
            "told": alarm.told,
            "told_by": sorted(alarm.told_by),
            "over": alarm.over,
            "told_over": alarm.told_over,
            "over_by": sorted(alarm.over_by),
        }
        with self._store.writing() as db:
            if alarm.id is None:
                return int(
                    db.execute(alert.insert().values(values).returning(alert.c.id)).scalar_one()
                )
            db.execute(alert.update().where(alert.c.id == alarm.id).values(values))
            return alarm.id


def _alarm(row: Row[Any]) -> Alarm:
    return Alarm(
        key=row.key,
        host=row.host,
        text=row.text,
        began=row.began,
        told=row.told,
        told_by=set(row.told_by),
        over=row.over,
        over_by=set(row.over_by),
        told_over=row.told_over,
        id=row.id,
        unsaved=False,
    )
