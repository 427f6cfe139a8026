"""What the database itself refuses: to change or delete what the ledger and the logs say.

Django's migrations rebuild tables on SQLite, and a trigger goes with its table: ``protect`` is
called after each ``migrate`` and makes them all anew, ``release`` before it, so that a migration
may do what nobody else may. A migration that failed has to be run again, which protects again.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from django.db import connections, transaction

_LEDGER: Final = "the ledger is append-only: write an entry that reverses it"
_LOT: Final = "a lot never changes but for where its amount is now"
_ACCOUNT: Final = "an account never changes but for its balance"

_LOT_TIMES: Final = ("opened_at", "available_at", "expires_at")

# Tables whose rows never change, with what whoever tries is told.
APPEND_ONLY: Final = {
    "store_entry": _LEDGER,
    "store_posting": _LEDGER,
    "store_lotmove": _LEDGER,
    "store_programversion": "a published version never changes: publish the next one",
    "store_auditrecord": "the audit log is append-only",
}
# Tables whose rows stay, and the columns of theirs that never change.
FIXED: Final = {
    "store_lot": (
        _LOT,
        ("id", "member_id", "unit", "entry_id", "amount", *_LOT_TIMES),
    ),
    "store_account": (_ACCOUNT, ("id", "program_id", "member_id", "unit", "account")),
}
# Raised in the words of each database as a violated constraint, which Django knows.
_POSTGRES_REFUSE: Final = """
    CREATE OR REPLACE FUNCTION besnik_refuse() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN RAISE EXCEPTION '%', TG_ARGV[0] USING ERRCODE = 'restrict_violation'; END $$"""
# One look for each statement that writes postings, at what that statement wrote: half a millisecond
# for 128 visits. PostgreSQL knows nothing of so new a table, and the bridge turns nested loops off
# for a statement of its own: left alone, this would read all accounts.
_POSTGRES_BALANCED: Final = """
    CREATE OR REPLACE FUNCTION besnik_balanced() RETURNS trigger LANGUAGE plpgsql
    SET enable_nestloop = on SET enable_hashjoin = off SET enable_mergejoin = off AS $$
    BEGIN
        IF EXISTS (
            SELECT FROM fresh JOIN store_account account ON account.id = fresh.account_id
            GROUP BY fresh.entry_id, account.unit HAVING sum(fresh.amount) <> 0
        ) THEN
            RAISE EXCEPTION 'the postings of an entry sum to zero for each unit'
                USING ERRCODE = 'check_violation';
        END IF;
        RETURN NULL;
    END $$"""
_BALANCED: Final = """
    CREATE TRIGGER besnik_balanced AFTER INSERT ON store_posting REFERENCING NEW TABLE AS fresh
    FOR EACH STATEMENT EXECUTE FUNCTION besnik_balanced()"""


def protect(using: str = "default") -> None:
    """Make the database refuse; tables and columns that are not there (yet) are left out."""
    connection = connections[using]
    with transaction.atomic(using=using), connection.cursor() as cursor:
        inspect = connection.introspection
        there = {
            table: {column.name for column in inspect.get_table_description(cursor, table)}
            for table in _tables() & set(inspect.table_names(cursor))
        }
        for statement in _statements(connection.vendor, there):
            cursor.execute(statement)


def release(using: str = "default") -> None:
    """Let migrations work: nothing is refused any more, until ``protect``."""
    connection = connections[using]
    with transaction.atomic(using=using), connection.cursor() as cursor:
        for table in set(connection.introspection.table_names(cursor)) & _tables():
            for statement in _dropped(connection.vendor, table):
                cursor.execute(statement)


def protect_after(*, using: str, **_: Any) -> None:
    """Receive Django's ``post_migrate``."""
    protect(using)


def release_before(*, using: str, plan: list[Any], **_: Any) -> None:
    """Receive Django's ``pre_migrate``; where there is nothing to do nothing is released."""
    if plan:
        release(using)


def _tables() -> set[str]:
    return {*APPEND_ONLY, *FIXED}


def _statements(vendor: str, there: Mapping[str, set[str]]) -> Iterator[str]:
    if vendor == "postgresql":
        yield _POSTGRES_REFUSE
        yield _POSTGRES_BALANCED
    for table in sorted(there):
        yield from _dropped(vendor, table)
        text, columns = FIXED.get(table, (APPEND_ONLY.get(table, ""), ()))
        make = _postgres if vendor == "postgresql" else _sqlite
        yield from make(table, text, [column for column in columns if column in there[table]])
    if vendor == "postgresql" and "store_posting" in there:
        yield _BALANCED


def _dropped(vendor: str, table: str) -> Iterator[str]:
    if vendor == "postgresql":
        for name in ("update", "delete", "truncate"):
            yield f"DROP TRIGGER IF EXISTS besnik_{name} ON {table}"
        if table == "store_posting":
            yield "DROP TRIGGER IF EXISTS besnik_balanced ON store_posting"
    else:
        for name in ("update", "delete"):
            yield f"DROP TRIGGER IF EXISTS {table}_{name}"


def _sqlite(table: str, text: str, columns: list[str]) -> Iterator[str]:
    of = f" OF {', '.join(columns)}" if columns else ""
    # To be set to what it is already is no change: Django's save() does so.
    changed = " OR ".join(f"OLD.{column} IS NOT NEW.{column}" for column in columns)
    when = f" WHEN {changed}" if columns else ""
    refuse = f"BEGIN SELECT RAISE(ABORT, '{text}'); END"
    yield f"CREATE TRIGGER {table}_update BEFORE UPDATE{of} ON {table}{when} {refuse}"
    # INSERT OR REPLACE deletes too, and fires this while recursive_triggers is on (database.py).
    yield f"CREATE TRIGGER {table}_delete BEFORE DELETE ON {table} {refuse}"


def _postgres(table: str, text: str, columns: list[str]) -> Iterator[str]:
    of = f" OF {', '.join(columns)}" if columns else ""
    changed = " OR ".join(f"OLD.{column} IS DISTINCT FROM NEW.{column}" for column in columns)
    when = f" WHEN ({changed})" if columns else ""
    refuse = f"EXECUTE FUNCTION besnik_refuse('{text}')"
    yield f"CREATE TRIGGER besnik_update BEFORE UPDATE{of} ON {table} FOR EACH ROW{when} {refuse}"
    yield f"CREATE TRIGGER besnik_delete BEFORE DELETE ON {table} FOR EACH ROW {refuse}"
    yield f"CREATE TRIGGER besnik_truncate BEFORE TRUNCATE ON {table} {refuse}"
