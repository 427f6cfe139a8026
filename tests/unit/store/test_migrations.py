"""A database of an older version is carried over: what members have, and what visits give."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.core.management import call_command
from django.db import connection
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.migrations.executor import MigrationExecutor
from django.db.migrations.loader import MigrationLoader

from besnik.loyalty.program import decode
from besnik.loyalty.visits import VisitRules
from support.database import Databases
from support.orm import models_on
from support.store import assert_ledger_adds_up, execute, rows

AT = "2026-11-01 09:00:00"
LATER = "2026-11-02 09:00:00"
NOON = dt.datetime(2026, 11, 21, 12, tzinfo=dt.UTC)
# Two programs, a member with five stamps of two visits, one whose visits were all taken back.
_OLD = (
    "INSERT INTO store_program (id, name, stamps_per_visit) VALUES (1, 'Café', 3), (2, 'Zero', 0)",
    "INSERT INTO store_member (id, program_id, ref, name, language, created_at) VALUES "
    f"(1, 1, 'a', 'Ana', 'sq', '{AT}'), (2, 1, 'b', 'Ben', 'en', '{AT}')",
    "INSERT INTO store_account (id, program_id, member_id, unit, balance) VALUES "
    "(1, 1, 1, 'stamp', 5), (2, 1, 2, 'stamp', 0), (3, 1, NULL, 'stamp', -5)",
    f"INSERT INTO store_entry (id, program_id, kind, created_at) VALUES (1, 1, 'accrue', '{AT}'), "
    f"(2, 1, 'accrue', '{LATER}'), (3, 1, 'accrue', '{AT}'), (4, 1, 'adjust', '{LATER}')",
    "INSERT INTO store_posting (id, entry_id, account_id, amount) VALUES (1, 1, 1, 2), "
    "(2, 1, 3, -2), (3, 2, 1, 3), (4, 2, 3, -3), (5, 3, 2, 1), (6, 3, 3, -1), (7, 4, 2, -1), "
    "(8, 4, 3, 1)",
)


@pytest.fixture
def old(prepared_databases: Databases, state: Path) -> Iterator[str]:
    """A database as it was when a program had a number of stamps and members had no lots."""
    for url in prepared_databases.empty(state):
        with models_on(url):
            _one_by_one(connection, "0006_no_index_of_taps_by_member")
            for statement in _OLD:
                execute(url, statement)
            call_command("migrate", "store", verbosity=0)
            yield url


def _one_by_one(database: BaseDatabaseWrapper, last: str) -> None:
    """Migrate as those did who came before all tables could be made at once."""
    executor = MigrationExecutor(database)
    executor.loader = MigrationLoader(database, replace_migrations=False)
    executor.migrate([("store", last)])


def test_an_old_database_keeps_what_visits_give_and_what_members_have(old: str) -> None:
    [(program, document)] = rows(old, "SELECT program_id, document FROM store_programversion")
    entry = VisitRules(decode(document)).accrue(1, "anywhere", NOON)
    assert program == 1
    assert entry is not None
    assert [(lot.unit, lot.amount, lot.expires_at) for lot in entry.opens] == [("stamp", 3, None)]
    lots = rows(old, "SELECT member_id, unit, amount, main, entry_id FROM store_lot")
    assert lots == [(1, "stamp", 5, 5, 1)]
    opened = rows(old, "SELECT opened_at, available_at, expires_at FROM store_lot")
    assert [str(moment)[:19] for moment in opened[0][:2]] == [AT, AT]
    assert opened[0][2] is None
    wrong = "SELECT id FROM store_entry WHERE occurred_at IS NULL OR occurred_at <> created_at"
    assert not rows(old, wrong)
    assert_ledger_adds_up(old)


def test_an_older_version_takes_no_visit_for_a_new_member(database_url: str) -> None:
    with models_on(database_url):
        from besnik.store.models import CrmDelivery, Program

        program = Program.objects.all()[0]
        for event, tap in (("m1", None), ("t1-1-1", 1)):
            CrmDelivery.objects.create(program=program, event_id=event, tap=tap, at=NOON)
        _one_by_one(connection, "0022_crm_left_out")
        assert rows(database_url, "SELECT event_id FROM store_crmdelivery") == [("m1",)]
