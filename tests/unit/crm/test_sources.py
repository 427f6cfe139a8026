"""The row of a CRM has two writers, its owner and its worker: neither takes back the other's."""

from __future__ import annotations

import threading
from contextlib import closing

import pytest
from django.utils import timezone

from besnik.crm import choosing, sources
from besnik.store.models import CrmSource, Shop
from support.store import open_raw

SECOND_S = 1.0


@pytest.fixture
def source(orm: str) -> CrmSource:
    made = CrmSource(program=Shop.objects.get(slug="corner").program, adapter="tryton")
    sources.switch_on(made, timezone.now())
    return made


def marks() -> tuple[int, int, int]:
    return CrmSource.objects.values_list("delivered_to", "members_to", "taps_to").get()


def test_a_page_that_was_opened_a_while_ago_sets_no_mark_back(source: CrmSource) -> None:
    stale = CrmSource.objects.get()
    CrmSource.objects.update(
        delivered_to=4711, members_to=4712, taps_to=4713, asked=7, breaker="open", why="401"
    )
    sources.switch_on(stale, timezone.now())
    assert marks() == (4711, 4712, 4713)
    row = CrmSource.objects.get()
    assert (row.asked, row.is_on, row.breaker, row.why) == (7, True, "closed", "")
    assert (stale.delivered_to, stale.is_on) == (4711, True)


@pytest.mark.postgres  # SQLite has one writer
def test_settings_that_are_kept_set_back_no_mark_that_moves_meanwhile(
    source: CrmSource, orm: str
) -> None:
    is_locked = threading.Event()

    def work() -> None:
        with closing(open_raw(orm)) as other, other.transaction():
            other.execute("UPDATE store_crmsource SET delivered_to = 4711, taps_to = 4713")
            is_locked.set()
            # The page comes to the row while this transaction is open.
            threading.Event().wait(SECOND_S)

    worker = threading.Thread(target=work)
    worker.start()
    is_locked.wait()
    choosing.keep(
        source.program_id, choosing.Choice("tryton", {"address": "https://crm.example"}, {})
    )
    worker.join()
    row = CrmSource.objects.get()
    assert (row.delivered_to, row.taps_to, row.is_on) == (4711, 4713, True)
    assert row.settings == {"address": "https://crm.example"}
