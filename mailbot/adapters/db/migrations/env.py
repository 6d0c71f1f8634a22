"""How alembic runs our migrations: on the connection `mailbot.adapters.db.migrate` hands over,
inside the one transaction it holds, so that an upgrade happens whole or not at all."""

from __future__ import annotations

from alembic import context

from mailbot.adapters.db.tables import metadata

connection = context.config.attributes["connection"]
context.configure(
    connection=connection,
    target_metadata=metadata,
    render_as_batch=connection.dialect.name == "sqlite",
    compare_type=True,
)
context.run_migrations()
