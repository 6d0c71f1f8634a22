"""Brings a database to the present schema, or refuses it with what to do.

Promises: an upgrade happens whole or not at all (one transaction around all revisions, which is
also the lock against a second program); a database that is newer, half-made, foreign, damaged or
read-only is refused before anything in it is changed. No alembic.ini: the scripts are found beside
this module, in a checkout and in an installed wheel alike.
"""

from __future__ import annotations

import threading
from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy import Connection, Engine, inspect, text

from mailbot.adapters.db import dialect
from mailbot.adapters.db.tables import HEAD, metadata
from mailbot.adapters.i18n import _
from mailbot.app.errors import Fault, OperatorFault

if TYPE_CHECKING:
    from alembic.config import Config

SCRIPTS = Path(__file__).parent / "migrations"
_ALEMBIC = threading.Lock()
"""alembic's `context` and `op` are process-wide: one migration at a time."""


def alembic_config(connection: Connection | None = None) -> Config:
    """For alembic's own commands, by hand or in a test."""
    from alembic.config import Config  # here, because a database at its head needs none of it

    config = Config()
    config.set_main_option("script_location", str(SCRIPTS).replace("%", "%%"))
    if connection is not None:
        config.attributes["connection"] = connection
    return config


def version_of(connection: Connection) -> str | None:
    """The schema version, None for an empty database. Raises `OperatorFault` for a database that
    is not ours or is between two versions."""
    tables = set(inspect(connection).get_table_names())
    where = _where(connection.engine)
    if "alembic_version" not in tables:
        if not tables:
            return None
        ours = tables & set(metadata.tables)
        raise OperatorFault(
            Fault(
                where,
                _("mailbot tables without a schema version: an upgrade or restore was cut short")
                if ours
                else _("a database of another program (tables: {tables})").format(
                    tables=", ".join(sorted(tables)[:5])
                ),
                _("restore the last backup") if ours else _("name another file or database"),
            )
        )
    versions = [str(v) for v in connection.scalars(text("SELECT version_num FROM alembic_version"))]
    if len(versions) > 1 or (not versions and len(tables) > 1):
        raise OperatorFault(
            Fault(
                where,
                _("a mixed schema version ({versions})").format(versions=", ".join(versions)),
                _("restore the last backup"),
            )
        )
    return versions[0] if versions else None


def ensure_head(engine: Engine, *, create: bool) -> None:
    """Upgrades when `create`, else only checks. Raises `OperatorFault`."""
    with engine.connect() as connection:
        _refuse_unfit(engine, connection)
        current = version_of(connection)
    if current != HEAD:
        _refuse_unknown(engine, current)
        if not create:
            raise OperatorFault(
                Fault(
                    _where(engine),
                    _("schema version {found}, this mailbot needs {wanted}").format(
                        found=current or _("none"), wanted=HEAD
                    ),
                    _("run `mailbot run` or `mailbot once` first: they upgrade it"),
                )
            )
        _upgrade(engine)
    with engine.connect() as connection:
        _compare(connection)


def _refuse_unfit(engine: Engine, connection: Connection) -> None:
    encoding = dialect.unfit(connection)
    if encoding is not None:
        raise OperatorFault(
            Fault(
                _where(engine),
                _("the database keeps its text as {encoding}, which cannot hold every mail").format(
                    encoding=encoding
                ),
                _("create it again: CREATE DATABASE … ENCODING 'UTF8' TEMPLATE template0"),
            )
        )


def _refuse_unknown(engine: Engine, current: str | None) -> None:
    if current is None:
        return
    from alembic.script import ScriptDirectory

    known = {s.revision for s in ScriptDirectory.from_config(alembic_config()).walk_revisions()}
    if current not in known:
        raise OperatorFault(
            Fault(
                _where(engine),
                _("schema version {found}, newer than this mailbot (which knows {known})").format(
                    found=current, known=HEAD
                ),
                _("start the newer mailbot again, or restore the backup made before its upgrade"),
            )
        )


def _upgrade(engine: Engine) -> None:
    from alembic import command

    with _ALEMBIC, dialect.writing(engine).connect() as connection:
        dialect.turn_on_wal(connection)
        dialect.foreign_keys(connection, on=False)
        try:
            with connection.begin():
                dialect.lock_for_migration(connection)
                if version_of(connection) != HEAD:  # somebody may have been faster
                    command.upgrade(alembic_config(connection), "head")
                broken = dialect.broken_references(connection)
                if broken:
                    raise OperatorFault(
                        Fault(
                            _where(engine),
                            _("the upgrade would leave broken references: {list}").format(
                                list="; ".join(broken)
                            ),
                            _("nothing was changed; report this with the list"),
                        )
                    )
        finally:
            if not connection.invalidated:
                dialect.foreign_keys(connection, on=True)


def _compare(connection: Connection) -> None:
    """Every table and column is there. (Types and indexes: the migration test.)"""
    found = {
        name: {column["name"] for column in columns}
        for (_schema, name), columns in inspect(connection).get_multi_columns().items()
    }
    lacking = [name for name in metadata.tables if name not in found]
    for name, table in metadata.tables.items():
        if name in found:
            lacking += [f"{name}.{c.name}" for c in table.columns if c.name not in found[name]]
    if lacking:
        raise OperatorFault(
            Fault(
                _where(connection.engine),
                _("schema version {found}, but lacks {lacking}").format(
                    found=HEAD, lacking=", ".join(sorted(lacking))
                ),
                _("somebody changed the database by hand: restore the last backup"),
            )
        )


def _where(engine: Engine) -> str:
    """The database's name for people, without a password."""
    path = dialect.database_path(engine)
    return str(path) if path else engine.url.render_as_string(hide_password=True)
