"""Rows whose statement is made first: their keys are those that the database would have given."""

from __future__ import annotations

import datetime as dt

import pytest

from besnik.store.inserting import Insert, next_keys
from besnik.store.models import CrmRecord, Member, Program

pytestmark = pytest.mark.usefixtures("orm")
NOW = dt.datetime(2026, 11, 22, 12, tzinfo=dt.UTC)


def member(name: str, key: int | None = None) -> Member:
    return Member(pk=key, program=Program.objects.get(), name=name)


def record(name: str) -> CrmRecord:
    return CrmRecord(program=Program.objects.get(), external_id="7", name=name, fetched_at=NOW)


def test_rows_get_the_keys_that_were_said_and_the_next_one_follows() -> None:
    keys = next_keys(Member, 2)
    Insert([member("Ada", keys[0]), member("Bora", keys[1])]).run()
    later = member("Cyme")
    later.save()
    assert keys == [keys[0], keys[0] + 1]
    assert later.pk > keys[1]
    assert [Member.objects.get(pk=key).name for key in keys] == ["Ada", "Bora"]


def test_a_key_that_somebody_wrote_by_hand_is_not_given_again() -> None:
    (first,) = next_keys(Member, 1)
    Insert([member("Ada", first)]).run()
    assert next_keys(Member, 1)[0] > first


def test_a_row_that_is_there_gets_the_new_values_and_no_rows_are_nothing() -> None:
    for name in ("Ada", "Ada Lovelace"):
        Insert(
            [record(name)],
            unique=["program", "external_id"],
            replaced=["name", "fetched_at"],
        ).run()
    Insert([]).run()
    assert CrmRecord.objects.get().name == "Ada Lovelace"
