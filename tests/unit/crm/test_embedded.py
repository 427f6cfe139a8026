"""The store as customer records."""

from __future__ import annotations

import datetime as dt
from collections.abc import AsyncIterator, Mapping
from pathlib import Path

import pytest

from besnik.credentials.assess import CardRef
from besnik.crm.embedded import EmbeddedCrm
from besnik.crm.every import CrmAwayError
from besnik.crm.protocol import Crm
from besnik.store.access import StoreAccess
from besnik.store.database import is_sqlite
from besnik.store.hot import CardKey, DecidedTap, KnownCard, KnownReader
from support.store import assert_ledger_adds_up, execute, rows, settings_for


@pytest.fixture
async def store(database_url: str) -> AsyncIterator[StoreAccess]:
    thread = StoreAccess(settings_for(database_url))
    yield thread
    await thread.aclose()


def decided(reader: KnownReader, tap_id: str, key: CardKey, card: KnownCard | None) -> DecidedTap:
    assert card is not None
    now = dt.datetime.now(dt.UTC)
    return DecidedTap(
        reader=reader.id,
        tap_id=tap_id,
        ref=key.ref,
        card=card,
        tier="D",
        outcome="accepted",
        reason="ok",
        read_at=0,
        clock_quality=0,
        queued=False,
        received_at=now,
        entry=reader.rules.accrue(card.member, "corner", now),
    )


async def test_a_known_card_is_found_and_its_visit_recorded_once(
    store: StoreAccess, database_url: str
) -> None:
    crm: Crm = EmbeddedCrm(store)
    reader = (await store.call(lambda hot: hot.readers(["counter-1"])))["counter-1"]
    known, unknown = (
        CardKey(reader.rules.program, CardRef("uid", uid)) for uid in ("5B3C2A19", "5B3C2A20")
    )
    found = await crm.lookup_many([known, unknown])
    assert found.keys() == {known}
    tap = decided(reader, "00001-000001", known, found[known])
    assert await crm.recorded([tap.key]) == {}
    assert [visit.repeat for visit in await crm.record_visits([tap, tap])] == [False, True]
    earlier = await crm.recorded([tap.key, (tap.reader, "00009-000009")])
    assert [(key, visit.reason) for key, visit in earlier.items()] == [(tap.key, "ok")]
    assert [visit.repeat for visit in await crm.record_visits([tap])] == [True]
    assert rows(database_url, "SELECT count(*) FROM store_entry") == [(1,)]
    assert_ledger_adds_up(database_url)


class _Visits:
    """A batch of one tap at each reader that exists; counts how often it is led through."""

    slugs = ("counter-1", "nowhere")

    def __init__(self, uid: str, tap: str = "00001-000001") -> None:
        self._uid = uid
        self._tap = tap
        self._readers: Mapping[str, KnownReader] = {}
        self.times = 0

    def open(self, readers: Mapping[str, KnownReader]) -> list[CardKey]:
        self._readers = readers
        return [self._key(reader) for reader in readers.values()]

    def decide(self, cards: Mapping[CardKey, KnownCard]) -> list[DecidedTap]:
        self.times += 1
        return [
            decided(reader, self._tap, self._key(reader), cards.get(self._key(reader)))
            for reader in self._readers.values()
        ]

    def _key(self, reader: KnownReader) -> CardKey:
        return CardKey(reader.rules.program, CardRef("uid", self._uid))


async def test_a_batch_is_led_through_and_can_be_given_again(
    store: StoreAccess, database_url: str
) -> None:
    crm: Crm = EmbeddedCrm(store)
    visits = _Visits("5B3C2A19")
    assert [visit.repeat for visit in await crm.visit_many(visits)] == [False]
    assert [visit.repeat for visit in await crm.visit_many(visits)] == [True]
    assert visits.times == 2
    assert rows(database_url, "SELECT count(*) FROM store_entry") == [(1,)]
    assert_ledger_adds_up(database_url)


async def test_batches_of_two_bridges_in_turn_are_all_written(
    store: StoreAccess, database_url: str
) -> None:
    """Each numbers its rows by itself, and must not go on where it was when another has written."""
    other = StoreAccess(settings_for(database_url))
    for number in range(1, 6):
        crm = EmbeddedCrm(other if number % 3 == 2 else store)
        [visit] = await crm.visit_many(_Visits("5B3C2A19", f"00001-00000{number}"))
        assert not visit.repeat
    await other.aclose()
    assert rows(database_url, "SELECT count(*) FROM store_entry") == [(5,)]
    assert_ledger_adds_up(database_url)


async def test_nothing_asked_is_nothing_done(store: StoreAccess) -> None:
    crm = EmbeddedCrm(store)
    assert await crm.lookup_many([]) == {}
    assert await crm.record_visits([]) == []
    assert await crm.recorded([]) == {}


async def test_health_tells_what_is_wrong(store: StoreAccess, tmp_path: Path) -> None:
    assert (await EmbeddedCrm(store).health()).ok
    empty = StoreAccess(settings_for(f"sqlite:///{tmp_path}/empty.sqlite3"))
    health = await EmbeddedCrm(empty).health()
    assert not health.ok
    assert "no such table" in health.why
    await empty.aclose()


async def test_a_store_that_is_away_is_said_in_the_crms_words(tmp_path: Path) -> None:
    store = StoreAccess(settings_for(f"sqlite:///{tmp_path}"))
    key = CardKey(1, CardRef("uid", "5B3C2A19"))
    with pytest.raises(CrmAwayError):
        await EmbeddedCrm(store).lookup_many([key])
    with pytest.raises(CrmAwayError):
        await EmbeddedCrm(store).recorded([(1, "00001-000001")])
    await store.aclose()


async def test_a_card_that_goes_after_it_was_looked_up_is_looked_up_again(
    store: StoreAccess, database_url: str
) -> None:
    """On SQLite nobody checks the keys again, so nothing may have changed in between."""
    visits = _Visits("5B3C2A19")
    decide = visits.decide

    def interrupted(cards: Mapping[CardKey, KnownCard]) -> list[DecidedTap]:
        if visits.times == 0:
            execute(database_url, "UPDATE store_card SET data = 'AABBCCDD' WHERE data = '5B3C2A19'")
        return decide(cards) if cards else []

    visits.decide = interrupted  # type: ignore[method-assign]  # it does as it did, a little later
    if is_sqlite(database_url):
        assert await EmbeddedCrm(store).visit_many(visits) == []
        assert visits.times == 1
        assert rows(database_url, "SELECT count(*) FROM store_tap") == [(0,)]
