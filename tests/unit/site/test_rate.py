"""How often one address may ask."""

from __future__ import annotations

from besnik.site.rate import Limiter


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def test_each_key_may_come_so_often_in_any_window() -> None:
    clock = Clock()
    limit = Limiter(3, 60, clock)
    assert [limit.count("a") for _ in range(5)] == [True, True, True, False, False]
    assert limit.count("b")
    assert limit.full("a") and not limit.full("b")
    clock.now = 59.9
    assert not limit.count("a")
    clock.now = 60
    assert not limit.full("a")
    assert [limit.count("a") for _ in range(4)] == [True, True, True, False]


def test_asking_whether_it_is_full_counts_nothing() -> None:
    limit = Limiter(1, 60, Clock())
    assert not any(limit.full("a") for _ in range(10))
    assert limit.count("a")


def test_what_is_remembered_is_bounded_and_the_oldest_goes_first() -> None:
    limit = Limiter(1, 60, Clock())
    for number in range(10_001):
        assert limit.count(str(number))
    assert limit.count("0")
    assert not limit.count("10000")
