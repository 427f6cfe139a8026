"""The bridge's SQL and Django's models say the same: a change of a model breaks this test."""

from __future__ import annotations

import datetime as dt

import pytest
from django.apps import apps
from django.core.management import call_command
from django.db.models import Field, Model

from besnik.credentials.assess import CardRef
from besnik.store.hot import TABLES, CardKey, DecidedTap, open_hot
from besnik.store.models import Account, Entry, Tap
from support.store import settings_for

MODELS: dict[str, type[Model]] = {
    model._meta.db_table: model for model in apps.get_app_config("store").get_models()
}


def columns(table: str) -> dict[str, Field[object, object]]:
    return {field.column: field for field in MODELS[table]._meta.concrete_fields}


@pytest.mark.parametrize("table", TABLES)
def test_the_statements_name_columns_that_exist(table: str) -> None:
    assert set(TABLES[table]) <= columns(table).keys()


@pytest.mark.parametrize("table", TABLES)
def test_the_statements_set_every_column_but_the_key(table: str) -> None:
    """A new column must be written too, unless the database itself knows what is in it then."""
    needed = {
        name
        for name, field in columns(table).items()
        if not field.primary_key and not field.has_db_default()
    }
    optional = {name for name in needed if columns(table)[name].null}
    assert needed - optional <= set(TABLES[table])


def test_what_the_bridge_wrote_is_what_django_reads(orm: str) -> None:
    at = dt.datetime(2026, 11, 21, 10, 30, 0, 250_000, tzinfo=dt.UTC)
    hot = open_hot(settings_for(orm))
    reader = hot.readers(["counter-1"])["counter-1"]
    key = CardKey(reader.rules.program, CardRef("uid", "0411223344556677A8B9"))
    known = hot.cards([key])[key]
    hot.record(
        [
            DecidedTap(
                reader=reader.id,
                tap_id="00042-001337",
                ref=key.ref,
                card=known,
                tier="D",
                outcome="accepted",
                reason="ok",
                finding="genuine",
                read_at=1_795_300_000,
                clock_quality=1,
                queued=True,
                received_at=at,
                entry=reader.rules.accrue(known.member, "corner", at),
            )
        ]
    )
    hot.close()

    tap = Tap.objects.get()
    assert (tap.reader.slug, tap.tap_id, tap.kind) == ("counter-1", "00042-001337", "uid")
    assert (tap.data, tap.tier, tap.outcome, tap.reason) == (key.ref.data, "D", "accepted", "ok")
    assert tap.finding == "genuine"
    assert (tap.read_at, tap.clock_quality, tap.queued) == (1_795_300_000, 1, True)
    assert tap.received_at == at
    assert tap.member is not None
    assert tap.card is not None
    assert (tap.member.ref, tap.card.data) == (known.member_ref, key.ref.data)
    entry = Entry.objects.get()
    assert (entry.kind, entry.tap, entry.created_at) == ("accrue", tap, at)
    assert sorted(entry.postings.values_list("account__member", "amount"), key=str) == [
        (tap.member.pk, 1),
        (None, -1),
    ]
    for row in (tap, entry, *Account.objects.all()):
        empty = [field.name for field in row._meta.fields if getattr(row, field.attname) is None]
        row.full_clean(exclude=empty)


def test_no_model_changed_without_a_migration(orm: str) -> None:
    call_command("makemigrations", check=True, dry_run=True, verbosity=0)
