"""A CRM that fails is left alone, longer each time, and tried by one call."""

from __future__ import annotations

import datetime as dt

import pytest

from besnik.crm.breaker import REST_MAX_S, Breaker, HeldBackError, Standing
from besnik.crm.foreign import CrmAnswerError, CrmAwayError, CrmError, CrmRefusedError

NOON = dt.datetime(2026, 11, 22, 12, tzinfo=dt.UTC)
AWAY = CrmAwayError("it does not answer")


class Clock:
    def __init__(self) -> None:
        self.now = NOON

    def __call__(self) -> dt.datetime:
        return self.now

    def pass_s(self, seconds: float) -> None:
        self.now += dt.timedelta(seconds=seconds)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def breaker(clock: Clock) -> Breaker:
    return Breaker(clock)


def call(breaker: Breaker, error: CrmError | None = None) -> None:
    breaker.enter()
    breaker.end(error)


def test_three_failures_in_a_row_open_it(breaker: Breaker, clock: Clock) -> None:
    for error in (AWAY, AWAY, None, AWAY, CrmAnswerError("nonsense")):
        call(breaker, error)
    assert breaker.standing == Standing()
    call(breaker, AWAY)
    assert breaker.standing == Standing(
        "open", "it does not answer", NOON + dt.timedelta(seconds=5)
    )
    with pytest.raises(HeldBackError, match="it does not answer") as held:
        breaker.enter()
    assert held.value.retry_after_s == 5


def test_one_call_tries_after_the_rest_and_closes_it(breaker: Breaker, clock: Clock) -> None:
    for _ in range(3):
        call(breaker, AWAY)
    clock.pass_s(5)
    breaker.enter()
    assert breaker.standing.state == "half_open"
    with pytest.raises(HeldBackError):
        breaker.enter()
    breaker.end(None)
    call(breaker)
    assert breaker.standing == Standing()


def test_a_call_that_was_given_up_leaves_the_trying_to_the_next(
    breaker: Breaker, clock: Clock
) -> None:
    for _ in range(3):
        call(breaker, AWAY)
    clock.pass_s(5)
    breaker.enter()
    breaker.given_up()
    call(breaker)
    assert breaker.standing == Standing()


def test_the_rest_doubles_up_to_five_minutes(breaker: Breaker, clock: Clock) -> None:
    rests = []
    for _ in range(3):
        call(breaker, AWAY)
    for _ in range(9):
        assert breaker.standing.retry_at is not None
        rests.append((breaker.standing.retry_at - clock()).total_seconds())
        clock.pass_s(rests[-1])
        call(breaker, AWAY)
    assert rests == [5, 10, 20, 40, 80, 160, REST_MAX_S, REST_MAX_S, REST_MAX_S]


def test_it_is_left_alone_as_long_as_it_asks(breaker: Breaker, clock: Clock) -> None:
    call(breaker, CrmAwayError("over its limit", retry_after_s=77))
    assert breaker.standing.retry_at == NOON + dt.timedelta(seconds=77)
    clock.pass_s(76)
    with pytest.raises(HeldBackError):
        breaker.enter()
    clock.pass_s(1)
    call(breaker)


def test_a_refused_key_is_not_tried_again(breaker: Breaker, clock: Clock) -> None:
    call(breaker, CrmRefusedError("the key is wrong"))
    clock.pass_s(1_000_000)
    with pytest.raises(HeldBackError, match="the key is wrong"):
        breaker.enter()
    breaker.reset()
    call(breaker)


def test_what_was_written_of_it_is_taken_up(clock: Clock) -> None:
    until = NOON + dt.timedelta(seconds=60)
    breaker = Breaker(clock, Standing("open", "it was away", until))
    with pytest.raises(HeldBackError):
        breaker.enter()
    clock.pass_s(60)
    call(breaker)


@pytest.mark.parametrize("asked_s", [1e14, float("inf"), 31_536_000.0])
def test_nobody_is_left_alone_for_longer_than_a_day(
    breaker: Breaker, clock: Clock, asked_s: float
) -> None:
    call(breaker, CrmAwayError("come back next year", asked_s))
    assert breaker.standing.retry_at == NOON + dt.timedelta(days=1)
