"""The bridge's statements: each tap once, the ledger balanced, whatever the batch."""

from __future__ import annotations

import datetime as dt
import random
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
from msgspec.structs import replace

from besnik.credentials.assess import CardRef
from besnik.loyalty.ledger import Entry, NewLot, Posting
from besnik.store.hot import (
    CardKey,
    DecidedTap,
    HotStore,
    KnownCard,
    KnownReader,
    LedgerError,
    Recorded,
    open_hot,
)
from support.published import publish
from support.store import assert_ledger_adds_up, rows, settings_for

ANA, ELENI, BORIS, BLANK = "5B3C2A19", "04A1B2C3D4E580", "0487654321AB80", "04DEADBEEF1280"
NOW = dt.datetime(2026, 11, 21, 10, 30, 0, 250_000, tzinfo=dt.UTC)


@pytest.fixture
def hot(database_url: str) -> Iterator[HotStore]:
    store = open_hot(settings_for(database_url))
    yield store
    store.close()


@pytest.fixture
def reader(hot: HotStore) -> KnownReader:
    return hot.readers(["counter-1"])["counter-1"]


def card(hot: HotStore, reader: KnownReader, uid: str) -> KnownCard | None:
    key = CardKey(reader.rules.program, CardRef("uid", uid))
    return hot.cards([key]).get(key)


def tap(
    hot: HotStore, reader: KnownReader, number: int, uid: str = ANA, *, accepted: bool = True
) -> DecidedTap:
    known = card(hot, reader, uid)
    entry = reader.rules.accrue(known.member, "corner", NOW) if accepted and known else None
    return DecidedTap(
        reader=reader.id,
        tap_id=f"00001-{number:06d}",
        ref=CardRef("uid", uid),
        card=known,
        tier="D",
        outcome="accepted" if accepted else "rejected",
        reason="ok" if accepted else "blocked" if known else "unknown",
        read_at=1_795_300_000,
        clock_quality=2,
        queued=False,
        received_at=NOW,
        entry=entry,
    )


def balances(url: str) -> dict[str | None, int]:
    return dict(
        rows(
            url,
            """SELECT member.name, balance FROM store_account account
               LEFT JOIN store_member member ON member.id = account.member_id""",
        )
    )


def test_readers_that_exist_are_found_with_shop_and_rules(hot: HotStore) -> None:
    found = hot.readers(["counter-1", "counter-9", "counter-1"])
    assert found.keys() == {"counter-1"}
    assert found["counter-1"].shop == "corner"
    entry = found["counter-1"].rules.accrue(7, "corner", NOW)
    assert entry is not None
    assert entry.opens == (NewLot(7, "stamp", 1, NOW, NOW),)


def test_cards_are_found_with_member_and_state(hot: HotStore, reader: KnownReader) -> None:
    assert card(hot, reader, BLANK) is None
    ana, boris = card(hot, reader, ANA), card(hot, reader, BORIS)
    assert ana is not None
    assert boris is not None
    assert (ana.state, boris.state) == ("active", "blocked")
    assert ana.member_ref != boris.member_ref
    assert len(ana.member_ref) == 12


def test_a_card_of_another_program_is_unknown(hot: HotStore, reader: KnownReader) -> None:
    key = CardKey(reader.rules.program + 1, CardRef("uid", ANA))
    assert hot.cards([key]) == {}


def test_nothing_is_asked_for_nothing(hot: HotStore) -> None:
    assert (hot.readers([]), hot.cards([]), hot.record([])) == ({}, {}, [])


def test_an_accepted_tap_moves_a_balance(
    hot: HotStore, reader: KnownReader, database_url: str
) -> None:
    ana = card(hot, reader, ANA)
    assert ana is not None
    assert hot.record([tap(hot, reader, 1)]) == [
        Recorded("accepted", "ok", ana.member_ref, repeat=False)
    ]
    assert balances(database_url) == {"Ana Hoxha": 1, None: -1}
    assert_ledger_adds_up(database_url)


def test_a_rejected_tap_is_kept_and_moves_nothing(
    hot: HotStore, reader: KnownReader, database_url: str
) -> None:
    boris = card(hot, reader, BORIS)
    assert boris is not None
    results = hot.record(
        [tap(hot, reader, 1, BORIS, accepted=False), tap(hot, reader, 2, BLANK, accepted=False)]
    )
    assert results == [
        Recorded("rejected", "blocked", boris.member_ref, repeat=False),
        Recorded("rejected", "unknown", None, repeat=False),
    ]
    assert rows(database_url, "SELECT reason FROM store_tap ORDER BY tap_id") == [
        ("blocked",),
        ("unknown",),
    ]
    assert balances(database_url) == {}


def test_a_repeat_gets_the_first_verdict_and_writes_nothing(
    hot: HotStore, reader: KnownReader, database_url: str
) -> None:
    first = tap(hot, reader, 1)
    [given] = hot.record([first])
    # Meanwhile somebody blocked the card: the tap that was accepted stays accepted.
    again = tap(hot, reader, 1, accepted=False)
    [repeated] = hot.record([again])
    assert (repeated.outcome, repeated.reason) == ("accepted", "ok")
    assert (repeated.member_ref, repeated.repeat) == (given.member_ref, True)
    assert rows(database_url, "SELECT count(*) FROM store_tap") == [(1,)]
    assert balances(database_url)["Ana Hoxha"] == 1
    assert_ledger_adds_up(database_url)


def test_a_repeat_of_an_unknown_card_is_still_unknown(hot: HotStore, reader: KnownReader) -> None:
    hot.record([tap(hot, reader, 1, BLANK, accepted=False)])
    [repeated] = hot.record([tap(hot, reader, 1, BLANK)])
    assert repeated == Recorded("rejected", "unknown", None, repeat=True)


def test_a_repeat_inside_one_batch_counts_once(
    hot: HotStore, reader: KnownReader, database_url: str
) -> None:
    first, other = tap(hot, reader, 1), tap(hot, reader, 2, ELENI)
    results = hot.record([first, other, first, tap(hot, reader, 1, accepted=False)])
    assert [result.repeat for result in results] == [False, False, True, True]
    assert {result.outcome for result in results} == {"accepted"}
    assert balances(database_url) == {"Ana Hoxha": 1, "Ελένη Παππά": 1, None: -2}
    assert_ledger_adds_up(database_url)


def test_two_taps_of_one_card_in_one_batch_both_count(
    hot: HotStore, reader: KnownReader, database_url: str
) -> None:
    hot.record([tap(hot, reader, 1), tap(hot, reader, 2)])
    hot.record([tap(hot, reader, 3), tap(hot, reader, 4, ELENI)])
    assert balances(database_url) == {"Ana Hoxha": 3, "Ελένη Παππά": 1, None: -4}
    assert_ledger_adds_up(database_url)


def test_the_same_id_at_another_reader_is_another_tap(
    hot: HotStore, reader: KnownReader, database_url: str, orm: str
) -> None:
    from besnik.store.models import Reader

    known = Reader.objects.get()
    other = Reader.objects.create(shop=known.shop, till=known.till, slug="counter-2", name="2")
    here, there = tap(hot, reader, 1), tap(hot, KnownReader(other.pk, "corner", reader.rules), 1)
    assert [result.repeat for result in hot.record([here, there])] == [False, False]
    assert balances(database_url)["Ana Hoxha"] == 2


def test_a_large_batch_is_one_transaction_and_adds_up(
    hot: HotStore, reader: KnownReader, database_url: str
) -> None:
    batch = [tap(hot, reader, number, ANA if number % 3 else ELENI) for number in range(512)]
    assert all(not result.repeat for result in hot.record(batch))
    assert balances(database_url)[None] == -512
    assert_ledger_adds_up(database_url)


def test_an_unbalanced_entry_stops_its_whole_batch(
    hot: HotStore, reader: KnownReader, database_url: str
) -> None:
    good, bad = tap(hot, reader, 1), tap(hot, reader, 2)
    ana = card(hot, reader, ANA)
    assert ana is not None
    unbalanced = Entry(reader.rules.program, "accrue", (Posting(ana.member, "stamp", 5),))
    with pytest.raises(LedgerError, match="00001-000002"):
        hot.record([good, replace(bad, entry=unbalanced)])
    assert rows(database_url, "SELECT count(*) FROM store_tap") == [(0,)]


def test_an_error_in_the_middle_leaves_nothing(
    hot: HotStore, reader: KnownReader, database_url: str
) -> None:
    nobody = replace(tap(hot, reader, 2), reader=reader.id + 1000)
    with pytest.raises(Exception, match=r"(?i)foreign key"):
        hot.record([tap(hot, reader, 1), nobody])
    assert rows(database_url, "SELECT count(*) FROM store_tap") == [(0,)]
    hot.record([tap(hot, reader, 1)])
    assert balances(database_url) == {"Ana Hoxha": 1, None: -1}


def test_a_row_that_cannot_be_written_takes_its_batch_along(
    hot: HotStore, reader: KnownReader, database_url: str
) -> None:
    bad = replace(tap(hot, reader, 2), clock_quality=-1)
    with pytest.raises(Exception, match=r"(?i)check constraint"):
        hot.record([tap(hot, reader, 1), bad, tap(hot, reader, 3)])
    assert rows(database_url, "SELECT count(*) FROM store_tap") == [(0,)]
    hot.record([tap(hot, reader, 1)])
    assert balances(database_url) == {"Ana Hoxha": 1, None: -1}


def test_a_program_that_gives_nothing_accepts_without_an_entry(
    hot: HotStore, reader: KnownReader, database_url: str
) -> None:
    generous = tap(hot, reader, 1)
    ana = card(hot, reader, ANA)
    assert ana is not None
    publish(database_url)
    rules = hot.readers(["counter-1"])["counter-1"].rules
    nothing = rules.accrue(ana.member, "corner", NOW)
    assert nothing is None
    [result] = hot.record([replace(generous, entry=nothing)])
    assert result.outcome == "accepted"
    assert balances(database_url) == {}


def test_two_bridges_that_write_the_same_taps_at_once_write_each_once(
    hot: HotStore, reader: KnownReader, database_url: str
) -> None:
    chance = random.Random(7)
    taps = [tap(hot, reader, number, (ANA, ELENI)[number % 2]) for number in range(200)]

    def write(seed: int) -> int:
        own = open_hot(settings_for(database_url))
        mixed = taps[:]
        random.Random(seed).shuffle(mixed)
        new = 0
        for start in range(0, len(mixed), 20):
            new += sum(not done.repeat for done in own.record(mixed[start : start + 20]))
        own.close()
        return new

    with ThreadPoolExecutor(3) as pool:
        assert sum(pool.map(write, [chance.randrange(1000) for _ in range(3)])) == 200
    assert balances(database_url) == {"Ana Hoxha": 100, "Ελένη Παππά": 100, None: -200}
    assert_ledger_adds_up(database_url)
