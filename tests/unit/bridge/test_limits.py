"""How often a reader may have a card asked."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from besnik.bridge.limits import PER_MINUTE, PER_SECOND, Rate


def test_two_in_any_second() -> None:
    rate = Rate()
    allowed = [rate.allows(at) for at in (10.0, 10.5, 10.9, 10.999, 11.0, 11.4, 11.5)]
    assert allowed == [True, True, False, False, True, False, True]


def test_thirty_in_any_minute() -> None:
    rate = Rate()
    assert [rate.allows(float(at)) for at in range(32)] == [True] * 30 + [False] * 2
    assert not rate.allows(59.9)
    assert [rate.allows(60.0), rate.allows(60.6), rate.allows(61.1)] == [True, False, True]


@given(st.lists(st.floats(0, 5), max_size=200))
def test_no_window_ever_holds_more(waits: list[float]) -> None:
    rate, now, starts = Rate(), 100.0, list[float]()
    for wait in waits:
        now += wait
        if rate.allows(now):
            starts.append(now)
    for start in starts:
        assert sum(start <= other < start + 1 for other in starts) <= PER_SECOND
        assert sum(start <= other < start + 60 for other in starts) <= PER_MINUTE
