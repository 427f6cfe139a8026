"""What has been written stays: the database itself refuses, whoever asks and however."""

from __future__ import annotations

import sqlite3
from contextlib import closing

import psycopg
import pytest
from django.core.management import call_command
from django.db import IntegrityError, connection, transaction
from django.utils import timezone

from besnik.loyalty.program import encode
from besnik.store import append_only
from besnik.store.database import is_sqlite
from besnik.store.models import (
    Account,
    AuditRecord,
    Entry,
    Lot,
    LotMove,
    Posting,
    ProgramVersion,
)
from besnik.store.programs import current
from support.books import Till
from support.store import assert_ledger_adds_up, open_raw, rows

REFUSED = (sqlite3.IntegrityError, psycopg.errors.RestrictViolation)
MODELS = (Entry, Posting, LotMove, ProgramVersion, AuditRecord)
# A column of each table that a cheat would change.
CHANGED = {
    "store_entry": "reason = 'x'",
    "store_posting": "amount = amount + 1",
    "store_lotmove": "amount = amount + 1",
    "store_programversion": "document = '{}'",
    "store_auditrecord": "action = 'x'",
    "store_lot": "amount = amount + 1",
    "store_account": "unit = 'gold'",
}


@pytest.fixture
def till(orm: str) -> Till:
    """A till with a row in each table."""
    till = Till()
    till.earn(50)
    till.burn(20)
    program = current(till.program)
    ProgramVersion.objects.create(
        program_id=till.program,
        version=99,
        document=encode(program).decode(),
        published_at=timezone.now(),
    )
    AuditRecord.objects.create(at=timezone.now(), action="test", previous="", hash="0" * 64)
    return till


@pytest.mark.parametrize("table", CHANGED)
def test_the_driver_cannot_change_or_delete_a_row(orm: str, till: Till, table: str) -> None:
    before = rows(orm, f"SELECT * FROM {table} ORDER BY id")
    statements = [f"UPDATE {table} SET {CHANGED[table]}", f"DELETE FROM {table}"]
    if is_sqlite(orm):
        statements.append(f"INSERT OR REPLACE INTO {table} SELECT * FROM {table}")
        statements.append(f"UPDATE OR REPLACE {table} SET {CHANGED[table]}")
    else:
        statements.append(f"TRUNCATE {table} CASCADE")
    assert before

    with closing(open_raw(orm)) as driver:
        for statement in statements:
            with pytest.raises(REFUSED, match=r"append-only|never changes"):
                driver.execute(statement)

    assert rows(orm, f"SELECT * FROM {table} ORDER BY id") == before


@pytest.mark.parametrize("model", MODELS)
def test_the_models_cannot_change_or_delete_a_row(till: Till, model: type[Entry]) -> None:
    row = model.objects.latest("pk")
    attempts = (
        row.save,
        lambda: model.objects.filter(pk=row.pk).update(id=row.pk + 1000),
        lambda: model.objects.filter(pk=row.pk)._raw_delete("default"),
    )

    for attempt in attempts:
        with pytest.raises(IntegrityError), transaction.atomic():
            attempt()

    assert model.objects.filter(pk=row.pk).exists()


def test_a_lot_and_an_account_change_only_where_amounts_are(till: Till) -> None:
    lot, account = Lot.objects.get(), Account.objects.get(member=till.anna)

    for row, column in ((lot, "expires_at"), (lot, "amount"), (account, "account")):
        row.refresh_from_db()
        setattr(row, column, {"expires_at": timezone.now(), "amount": 1}.get(column, "held"))
        with pytest.raises(IntegrityError, match="never changes"), transaction.atomic():
            row.save()

    lot.refresh_from_db()
    lot.save()  # what does not change anything is no change
    till.burn(10)
    assert till.balances().active == 20


def test_what_the_tables_are_migrated_to_is_protected_again(orm: str, till: Till) -> None:
    append_only.release()
    Entry.objects.update(reason="a migration may")

    call_command("migrate", verbosity=0, interactive=False)

    with pytest.raises(IntegrityError), transaction.atomic():
        Entry.objects.update(reason="but nobody else")
    assert_ledger_adds_up(orm)


def test_a_rebuilt_table_is_protected_after_the_next_migrate(orm: str, till: Till) -> None:
    connection.disable_constraint_checking()
    with connection.schema_editor() as editor:
        if is_sqlite(orm):
            editor._remake_table(Entry)  # as any change of a column does
    connection.enable_constraint_checking()

    call_command("migrate", verbosity=0, interactive=False)

    with pytest.raises(IntegrityError), transaction.atomic():
        Entry.objects.update(reason="x")
