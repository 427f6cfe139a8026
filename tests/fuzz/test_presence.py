"""firmware/presence.py, identify.py and sun.py: any cards that come, stay and go, any noise."""

from __future__ import annotations

from collections.abc import Callable

from hypothesis import given
from hypothesis import strategies as st

from besnik.sim.model.isodep_picc import IsoDepPicc
from besnik.sim.model.noise import PARITY, PROTOCOL
from besnik.sim.model.ntag424_picc import ntag424
from besnik.sim.model.phone_picc import payment, phone
from besnik.sim.model.picc import Picc, RandomPicc
from besnik.sim.model.type2_picc import Type2Picc
from fuzz.budget import examples
from fuzz.counter import STEP_MS, Counter
from fuzz.hostile import Answer, Hostile, Step, ats, blocks, scripts, sealed

_ADDRESS = "https://corner.example/t?e={picc}&m={mac}"
CARDS: dict[str, Callable[[], Picc]] = {
    "uid4": lambda: Picc(bytes.fromhex("5B3C2A19"), 0x08),
    "uid10": lambda: Picc(bytes.fromhex("0411223344556677A8B9")),
    "type2": lambda: Type2Picc(bytes.fromhex("04A1B2C3D4E580")),
    "sun": lambda: ntag424(bytes.fromhex("04DEBEBCFF4C80"), _ADDRESS),
    "bank": lambda: payment(bytes.fromhex("55667788")),
    "phone": phone,
    "random": RandomPicc,
}
_KEYS = st.sampled_from(sorted(CARDS))
# What happens next: a card comes, goes (both of them if it does it twice), or noise begins, per
# mille of frames; and how long until the next.
_EVENTS = st.lists(
    st.tuples(
        st.one_of(_KEYS, st.sampled_from((0, 0, 10, 100, 1000))),
        st.one_of(st.integers(0, 60), st.integers(0, 1500)),
    ),
    min_size=1,
    max_size=14,
)


def _play(counter: Counter, events: list[tuple[str | int, int]]) -> int:
    """Let it happen; return how many presentations there were."""
    presentations = 0
    for event, wait_ms in events:
        if isinstance(event, int):
            counter.board.field.noise.set(event, (PARITY, PROTOCOL), seed=event)
        elif counter.board.in_field(event):
            counter.board.remove(event)
        else:
            counter.board.present(event)
            presentations += 1
        counter.watch_ms(wait_ms)
    return presentations


@examples(60)
@given(_EVENTS)
def test_never_more_taps_than_presentations(events: list[tuple[str | int, int]]) -> None:
    counter = Counter(**{key: make() for key, make in CARDS.items()})
    presentations = _play(counter, events)
    counter.board.field.noise.set(0)
    counter.watch_ms(1000)
    assert len(counter.seen) <= presentations, counter.seen
    assert counter.slowest_ms <= STEP_MS
    assert counter.presence.recoveries == 0 and True not in counter.faults


@examples(40)
@given(_EVENTS, _KEYS)
def test_after_anything_a_card_is_a_tap(events: list[tuple[str | int, int]], last: str) -> None:
    counter = Counter(**{key: make() for key, make in CARDS.items()})
    _play(counter, events)
    counter.board.field.noise.set(0)
    for key in CARDS:
        counter.board.remove(key)
    counter.watch_ms(1000)
    counter.seen.clear()
    counter.board.present(last)
    counter.watch_ms(1500)
    assert len(counter.seen) == 1 and counter.seen[0], counter.seen


@examples(60)
@given(
    st.sampled_from(("uid4", "uid10", "type2", "sun", "bank", "phone")),
    scripts(blocks(), sealed(ats()), sealed(st.binary(min_size=1, max_size=5)), longest=20),
    st.integers(0, 30),
    st.booleans(),
    st.booleans(),
)
def test_hostile_cards_neither_stop_the_reader_nor_look_like_a_dead_chip(
    key: str, script: list[Step], head: int, forever: bool, has_company: bool
) -> None:
    hostile = Hostile(CARDS[key](), script, head, forever)
    counter = Counter(hostile=hostile, other=CARDS["sun"](), next=CARDS["uid4"]())
    counter.board.present("hostile")
    if has_company:
        counter.board.present("other")
    counter.watch_ms(2000)
    assert counter.slowest_ms <= STEP_MS
    assert counter.presence.recoveries == 0 and True not in counter.faults
    counter.board.remove("hostile")
    counter.board.remove("other")
    counter.watch_ms(1000)
    counter.seen.clear()
    counter.board.present("next")
    counter.watch_ms(1000)
    assert [offer and offer.data for offer in counter.seen] == ["5B3C2A19"]


@examples(40)
@given(sealed(ats()), scripts(blocks()), st.booleans())
def test_any_ats_of_a_resting_card_is_nothing_or_a_few_taps(
    first: Answer, script: list[Step], forever: bool
) -> None:
    card = IsoDepPicc(bytes.fromhex("04A1B2C3D4E580"))
    counter = Counter(card=Hostile(card, [first, *script], 5, forever))
    counter.board.present("card")
    counter.watch_ms(3000)
    # It may fall silent as often as it likes: each time it has left and come again.
    assert len(counter.seen) <= 12
    assert counter.slowest_ms <= STEP_MS
