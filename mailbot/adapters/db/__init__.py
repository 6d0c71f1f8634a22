"""The database: SQLModel tables, alembic migrations, and the store behind `app.ports`.

`engine` opens it, `unit_of_work` writes, `queries` reads, `outbox` delivers, `listing` lists for
people. What differs between SQLite and PostgreSQL stands in `dialect` and nowhere else.
"""
