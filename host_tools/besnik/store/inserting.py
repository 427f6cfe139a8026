"""Rows whose statement is made before the transaction that runs it.

Django takes several times as long to make a statement of many rows as SQLite to run it, and SQLite
has one writer for all. Whoever writes many rows beside the tills makes their statements first.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.db import DEFAULT_DB_ALIAS, connection
from django.db.models import Model
from django.db.models.constants import OnConflict
from django.db.models.sql import InsertQuery


class Insert:
    """One INSERT of new rows of one model, as few as one statement takes; none does nothing.

    A field whose value only the database knows (``db_default`` without ``default``) is not for it.
    Keys that the database gives are not told to the rows: `next_keys` gives them beforehand. A row
    that is there by ``unique`` gets the values of ``replaced`` instead.
    """

    def __init__(
        self, rows: Sequence[Model], *, unique: Sequence[str] = (), replaced: Sequence[str] = ()
    ) -> None:
        self._statements: list[tuple[str, tuple[Any, ...]]] = []
        if not rows:
            return
        table = type(rows[0])._meta
        given = table.pk if rows[0].pk is None else None
        fields = [
            field for field in table.concrete_fields if not (field.generated or field is given)
        ]
        query = InsertQuery(
            type(rows[0]),
            on_conflict=OnConflict.UPDATE if unique else None,
            unique_fields=[table.get_field(name) for name in unique],
            update_fields=[table.get_field(name) for name in replaced],
        )
        query.insert_values(fields, list(rows))
        self._statements = query.get_compiler(using=DEFAULT_DB_ALIAS).as_sql()

    def run(self) -> None:
        """Write the rows; IntegrityError as ever."""
        with connection.cursor() as cursor:
            for text, values in self._statements:
                cursor.execute(text, values)


def next_keys(table: type[Model], count: int) -> list[int]:
    """Return the keys of the next rows of a table.

    On PostgreSQL nobody else gets them. On SQLite they hold as long as nobody else writes.
    """
    name, key = table._meta.db_table, table._meta.pk.column
    with connection.cursor() as cursor:
        if connection.vendor == "sqlite":
            # As AUTOINCREMENT does it (sqlite.org/autoinc.html).
            cursor.execute(
                "SELECT max(coalesce((SELECT seq FROM sqlite_sequence WHERE name = %s), 0),"
                f' coalesce((SELECT max("{key}") FROM "{name}"), 0))',
                [name],
            )
            last = int(cursor.fetchone()[0])
            return list(range(last + 1, last + 1 + count))
        cursor.execute(
            "SELECT nextval(pg_get_serial_sequence(%s, %s)) FROM generate_series(1, %s)",
            [name, key, count],
        )
        return [int(row[0]) for row in cursor.fetchall()]
