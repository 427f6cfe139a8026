# What a till sees when one frame in a hundred is damaged or lost: no card that leaves by itself,
# none that is missed, none that is counted twice. tests/bench/cards.py does the same for longer.

from tills import Till, sun_card, uid_card

TIMEOUT_S = 100
PER_MILLE = 10
MINUTE_MS = 60000
PRESENTATIONS = 100


async def test_uid_card_that_rests_for_ten_minutes_is_one_tap():
    assert await Till(uid_card(), PER_MILLE).rest(10 * MINUTE_MS) == 1


async def test_sun_card_that_rests_is_one_tap():
    till = Till(sun_card(), PER_MILLE)
    assert await till.rest(2 * MINUTE_MS) == 1
    assert till.seen == ["sun"]


async def test_uid_card_is_one_tap_at_each_presentation():
    missed, doubled, taken_ms = await Till(uid_card(), PER_MILLE, 2).present(PRESENTATIONS)
    assert (missed, doubled) == (0, 0)
    assert max(taken_ms) <= 150, max(taken_ms)


async def test_sun_card_is_one_tap_with_its_proof_at_each_presentation():
    till = Till(sun_card(), PER_MILLE, 2)
    missed, doubled, taken_ms = await till.present(PRESENTATIONS)
    assert (missed, doubled) == (0, 0)
    assert set(till.seen) == {"sun"}
    assert max(taken_ms) <= 250, max(taken_ms)
