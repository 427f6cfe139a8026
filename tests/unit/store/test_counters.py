"""SUN counters: each read of a card counts once, whatever the batch, the order or the bridge."""

from __future__ import annotations

import datetime as dt
import itertools
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from besnik.credentials.assess import CardRef
from besnik.store.counters import GAP_MAX
from besnik.store.hot import CardKey, DecidedTap, KnownCard, Recorded, open_hot
from support.store import assert_ledger_adds_up, execute, give_card, rows, settings_for

NTAG, OTHER = "04DE5F1EACC040", "04958CAA5C5E80"
NOW = dt.datetime(2026, 11, 21, 10, 30, tzinfo=dt.UTC)
WRITTEN = "SELECT counter, tier, outcome, reason FROM store_tap ORDER BY id"


class Counter:
    """Presents two SUN cards of members and looks at what was written."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.hot = open_hot(settings_for(url))
        self._reader = self.hot.readers(["counter-1"])["counter-1"]
        self._number = 0
        give_card(url, "ntag", NTAG, "Ana Hoxha")
        give_card(url, "ntag", OTHER, "Grace Miller")

    def card(self, uid: str = NTAG) -> KnownCard:
        key = CardKey(self._reader.rules.program, CardRef("ntag", uid))
        return self.hot.cards([key])[key]

    def tap(self, counter: int, uid: str = NTAG, *, queued: bool = False) -> DecidedTap:
        self._number += 1
        known = self.card(uid)
        return DecidedTap(
            reader=self._reader.id,
            tap_id=f"00001-{self._number:06d}",
            ref=CardRef("ntag", uid),
            card=known,
            tier="A",
            outcome="accepted",
            reason="ok",
            read_at=1_795_300_000,
            clock_quality=2,
            queued=queued,
            received_at=NOW,
            entry=self._reader.rules.accrue(known.member, "corner", NOW),
            counter=counter,
        )

    def record(self, *taps: DecidedTap) -> list[str]:
        return [done.reason for done in self.hot.record(taps)]

    def highest(self, uid: str = NTAG) -> int | None:
        [(counter,)] = rows(self.url, f"SELECT counter FROM store_card WHERE data = '{uid}'")
        return None if counter is None else int(counter)


@pytest.fixture
def counter(database_url: str) -> Iterator[Counter]:
    made = Counter(database_url)
    yield made
    made.hot.close()


def test_a_card_begins_anywhere_and_rises(counter: Counter) -> None:
    assert counter.highest() is None
    assert counter.record(counter.tap(0)) == ["ok"]
    assert counter.record(counter.tap(1), counter.tap(2)) == ["ok", "ok"]
    assert counter.record(counter.tap(0xFFFFFF)) == ["ok"]
    assert counter.highest() == 0xFFFFFF
    assert {row[1] for row in rows(counter.url, WRITTEN)} == {"A"}
    assert_ledger_adds_up(counter.url)


@pytest.mark.parametrize("late", [7, 6, 0])
def test_an_equal_or_lower_counter_is_a_replay_and_moves_nothing(
    counter: Counter, late: int
) -> None:
    assert counter.record(counter.tap(7)) == ["ok"]
    assert counter.record(counter.tap(late)) == ["replayed"]
    assert rows(counter.url, WRITTEN) == [
        (7, "A", "accepted", "ok"),
        (late, "D", "rejected", "replayed"),
    ]
    assert counter.highest() == 7
    assert rows(counter.url, "SELECT count(*) FROM store_entry") == [(1,)]
    assert_ledger_adds_up(counter.url)


def test_a_replay_is_still_one_after_a_new_start(counter: Counter) -> None:
    counter.record(counter.tap(7))
    counter.hot.close()
    counter.hot = open_hot(settings_for(counter.url))
    assert counter.record(counter.tap(7), counter.tap(6), counter.tap(8)) == [
        "replayed", "replayed", "ok",
    ]  # fmt: skip


def test_one_batch_with_many_taps_of_one_card_counts_each_read_once(counter: Counter) -> None:
    taps = [counter.tap(number) for number in (3, 3, 5, 4, 5, 6)]
    taps.insert(3, counter.tap(3, OTHER))
    assert counter.record(*taps) == [
        "ok", "replayed", "ok", "ok", "replayed", "replayed", "ok",
    ]  # fmt: skip
    assert (counter.highest(), counter.highest(OTHER)) == (6, 3)
    assert_ledger_adds_up(counter.url)


def test_a_repeat_gets_its_first_verdict_and_raises_nothing(counter: Counter) -> None:
    first = counter.tap(7)
    assert counter.record(first, first) == ["ok", "ok"]
    assert counter.record(counter.tap(8), first) == ["ok", "ok"]
    assert counter.highest() == 8
    assert rows(counter.url, "SELECT count(*) FROM store_entry") == [(2,)]


def test_a_repeat_of_a_refused_tap_does_not_use_its_counter_up(counter: Counter) -> None:
    """It was refused while the card was blocked; what it would be worth today is nobody's."""
    tap = counter.tap(7)
    refused = replace(tap, outcome="rejected", reason="blocked", entry=None)
    assert counter.record(refused) == ["blocked"]
    again = counter.tap(7)
    assert counter.record(tap, again) == ["blocked", "ok"]
    assert counter.highest() == 7


def test_the_read_that_enrolled_a_card_is_used_up(counter: Counter) -> None:
    """Its tap was unknown then and belongs to no card."""
    execute(counter.url, f"UPDATE store_card SET counter = 7 WHERE data = '{NTAG}'")
    assert counter.record(counter.tap(7, queued=True), counter.tap(7)) == ["replayed"] * 2
    assert counter.record(counter.tap(8)) == ["ok"]


def test_a_late_tap_counts_once_but_is_no_proof_of_freshness(counter: Counter) -> None:
    """It waited in one reader's outbox while its card went on to another reader."""
    assert counter.record(counter.tap(5), counter.tap(8)) == ["ok", "ok"]
    assert counter.record(counter.tap(6, queued=True)) == ["ok"]
    assert counter.record(counter.tap(6, queued=True)) == ["replayed"]
    assert counter.record(counter.tap(5, queued=True)) == ["replayed"]
    assert counter.record(counter.tap(8, queued=True)) == ["replayed"]
    assert counter.record(counter.tap(6)) == ["replayed"]
    assert counter.highest() == 8
    assert rows(counter.url, WRITTEN)[2] == (6, "D", "accepted", "ok")
    assert rows(counter.url, "SELECT count(*) FROM store_entry") == [(3,)]
    assert_ledger_adds_up(counter.url)


def test_late_taps_of_one_read_in_one_batch_count_once(counter: Counter) -> None:
    counter.record(counter.tap(8))
    late = [counter.tap(6, queued=True) for _ in range(3)]
    assert counter.record(*late) == ["ok", "replayed", "replayed"]


def test_a_read_that_was_refused_does_not_count_later(counter: Counter) -> None:
    counter.record(counter.tap(8), counter.tap(6))
    assert counter.record(counter.tap(6, queued=True)) == ["replayed"]


def test_a_tap_that_waited_and_is_the_newest_is_like_any_other(counter: Counter) -> None:
    counter.record(counter.tap(8))
    assert counter.record(counter.tap(9, queued=True)) == ["ok"]
    assert counter.highest() == 9
    assert rows(counter.url, WRITTEN)[1] == (9, "A", "accepted", "ok")


@pytest.mark.parametrize(("behind", "reason"), [(GAP_MAX, "ok"), (GAP_MAX + 1, "replayed")])
def test_a_late_tap_is_not_older_than_an_outbox_can_be(
    counter: Counter, behind: int, reason: str
) -> None:
    counter.record(counter.tap(5000))
    assert counter.record(counter.tap(5000 - behind, queued=True)) == [reason]


def test_the_rise_of_a_counter_is_told_once(counter: Counter) -> None:
    first, second = counter.tap(10), counter.tap(2011)
    assert [done.counter_gap for done in counter.hot.record([first, second])] == [0, 2001]
    assert [done.counter_gap for done in counter.hot.record([second])] == [0]
    late, replay = counter.tap(2000, queued=True), counter.tap(1)
    assert [done.counter_gap for done in counter.hot.record([late, replay])] == [0, 0]


def test_a_refusal_for_another_reason_stays_it(counter: Counter) -> None:
    counter.record(counter.tap(8))
    blocked = replace(counter.tap(7), outcome="rejected", reason="blocked", entry=None)
    unknown = replace(blocked, tap_id="00009-000001", card=None, reason="unknown")
    assert counter.record(blocked, unknown) == ["blocked", "unknown"]


def test_taps_without_a_counter_leave_counters_alone(counter: Counter) -> None:
    counter.record(counter.tap(8))
    assert counter.record(replace(counter.tap(0), counter=None)) == ["ok"]
    assert counter.highest() == 8


def test_what_was_written_is_found_again(counter: Counter) -> None:
    tap, ref = counter.tap(8), counter.card().member_ref
    assert counter.hot.recorded([tap.key]) == {}
    counter.hot.record([tap])
    assert counter.hot.recorded([tap.key, (tap.reader, "00009-000009")]) == {
        tap.key: Recorded("accepted", "ok", ref, repeat=True)
    }
    assert counter.hot.recorded([]) == {}


def in_threads(url: str, batches: Sequence[Sequence[DecidedTap]]) -> list[Recorded]:
    """Write each batch over a connection of its own, all at once."""

    def write(batch: Sequence[DecidedTap]) -> list[Recorded]:
        own = open_hot(settings_for(url))
        try:
            return own.record(batch)
        finally:
            own.close()

    with ThreadPoolExecutor(len(batches)) as pool:
        return [done for batch in pool.map(write, batches) for done in batch]


@pytest.mark.parametrize("queued", [False, True])
def test_of_200_identical_taps_at_four_bridges_one_counts(counter: Counter, queued: bool) -> None:
    if queued:
        counter.record(counter.tap(9))
    taps = [counter.tap(7, queued=queued) for _ in range(200)]
    done = in_threads(counter.url, [taps[start::4] for start in range(4)])
    assert sorted(each.reason for each in done) == ["ok"] + ["replayed"] * 199
    assert_ledger_adds_up(counter.url)


def test_bridges_that_write_taps_of_the_same_cards_at_once_do_not_block_each_other(
    counter: Counter,
) -> None:
    """Cards and accounts are locked in one order; each read counts once all the same."""
    taps = [counter.tap(number // 2, (NTAG, OTHER)[number % 2]) for number in range(120)]
    batches = [taps[start : start + 10] for start in range(0, 120, 10)]
    batches += [list(reversed(batch)) for batch in batches]
    done = []
    for start in range(0, len(batches), 6):
        done += in_threads(counter.url, batches[start : start + 6])
    counted = [each for each in done if not each.repeat and each.outcome == "accepted"]
    assert rows(counter.url, "SELECT count(*) FROM store_entry") == [(len(counted),)]
    reads = rows(counter.url, "SELECT card_id, counter FROM store_tap WHERE outcome = 'accepted'")
    assert len(set(reads)) == len(reads)
    assert_ledger_adds_up(counter.url)


def expected(taps: Sequence[tuple[int, bool]]) -> list[str]:
    """Say the rule once more, as plainly as it can be said."""
    highest, seen, verdicts = -1, set[int](), []
    for number, queued in taps:
        fresh = number > highest
        late = queued and number < highest and highest - number <= GAP_MAX and number not in seen
        verdicts.append("ok" if fresh or late else "replayed")
        highest = max(highest, number)
        seen.add(number)
    return verdicts


@settings(
    max_examples=40,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(
    taps=st.lists(st.tuples(st.integers(0, 12) | st.integers(1000, 1020), st.booleans())),
    cuts=st.sets(st.integers(0, 20)),
)
def test_any_order_in_any_batches_follows_the_rule(
    counter: Counter, taps: list[tuple[int, bool]], cuts: set[int]
) -> None:
    execute(counter.url, "UPDATE store_card SET counter = NULL")
    execute(counter.url, "UPDATE store_tap SET counter = NULL")
    made = [counter.tap(number, queued=queued) for number, queued in taps]
    ends = sorted({cut for cut in cuts if cut < len(made)} | {0, len(made)})
    verdicts = []
    for start, end in itertools.pairwise(ends):
        verdicts += counter.record(*made[start:end])
    assert verdicts == expected(taps)


def test_saving_a_card_that_was_read_before_does_not_set_its_counter_back(
    counter: Counter, orm: str
) -> None:
    from besnik.store.models import Card, CardState

    card = Card.objects.get(data=NTAG)
    counter.record(counter.tap(7))
    card.state = CardState.BLOCKED
    card.save()
    assert counter.highest() == 7
    assert Card.objects.get(data=NTAG).state == "blocked"
    card.counter = None
    card.save(update_fields=["counter"])
    assert counter.highest() is None
