"""The talk with a card, whatever it is about: its course and its end."""

from __future__ import annotations

import pytest

from besnik.credentials.exchange import Exchange, ExchangeError, Steps


def sums(numbers: int) -> Steps[int]:
    """Ask for so many numbers of one byte and return their sum."""
    total = 0
    for number in range(numbers):
        answer = yield bytes((number,))
        if len(answer) != 1:
            raise ExchangeError("malformed", "not one byte")
        total += answer[0]
    return total


def test_commands_come_until_there_is_a_result() -> None:
    exchange = Exchange(sums(2))
    assert exchange.command == b"\x00"
    assert exchange.answer(b"\x05") == exchange.command == b"\x01"
    assert not exchange.done
    assert exchange.answer(b"\x06") is None
    assert exchange.done
    assert (exchange.command, exchange.result) == (None, 11)


def test_there_is_no_result_before_the_end() -> None:
    exchange = Exchange(sums(1))
    with pytest.raises(RuntimeError, match="no result"):
        _ = exchange.result


def test_an_error_is_the_end() -> None:
    exchange = Exchange(sums(1))
    with pytest.raises(ExchangeError, match="not one byte"):
        exchange.answer(b"")
    assert exchange.command is None
    with pytest.raises(RuntimeError, match="has ended"):
        exchange.answer(b"\x01")
    assert not exchange.done


def test_a_card_that_has_left_ends_it() -> None:
    exchange = Exchange(sums(1))
    exchange.close()
    with pytest.raises(RuntimeError, match="has ended"):
        exchange.answer(b"\x01")


def test_a_talk_that_needs_no_command_is_done_at_once() -> None:
    exchange = Exchange(sums(0))
    assert exchange.done
    assert exchange.result == 0
