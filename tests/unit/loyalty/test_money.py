"""What a cashier types as an amount: two readings are refused, not guessed."""

from __future__ import annotations

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from besnik.loyalty.money import AmountError, Currency, looks_like_a_slip, parse_amount

EUR, LEK = Currency.named("EUR"), Currency.named("ALL")


@pytest.mark.parametrize(
    ("typed", "minor"),
    [
        ("12", 1_200),
        ("12.5", 1_250),
        ("12,50", 1_250),
        ("0.05", 5),
        ("1 234,50", 123_450),
        ("1\u00a0234.50", 123_450),
        ("1.234,50", 123_450),
        ("1,234.50", 123_450),
        ("1.234.567", 123_456_700),
        ("۱۲٫۵۰", 1_250),
        ("۱٬۲۳۴٫۵۰", 123_450),
        ("١٢", 1_200),
        ("1'234.50", 123_450),
        ("1234.50", 123_450),
    ],
)
def test_an_amount_in_euro(typed: str, minor: int) -> None:
    assert parse_amount(typed, EUR) == minor


@pytest.mark.parametrize(
    ("typed", "minor"), [("1.234", 1_234), ("۱٬۲۳۴", 1_234), ("1,234,567", 1_234_567)]
)
def test_an_amount_without_decimals(typed: str, minor: int) -> None:
    assert parse_amount(typed, LEK) == minor


@pytest.mark.parametrize(
    ("typed", "why"),
    [
        ("1.234", "two amounts"),
        ("1,234", "two amounts"),
        ("12.505", "two amounts"),
        ("12.5055", "2 decimals"),
        ("1234.505", "2 decimals"),
        ("-5", "no amount"),
        ("", "no amount"),
        ("1.2.3", "no amount"),
        ("1,2.3", "no amount"),
        ("5 EUR", "no amount"),
        ("１２", "no amount"),
        ("1e3", "no amount"),
    ],
)
def test_what_is_no_amount_is_refused_with_the_reason(typed: str, why: str) -> None:
    with pytest.raises(AmountError, match=why):
        parse_amount(typed, EUR)


def test_a_currency_without_decimals_has_none() -> None:
    with pytest.raises(AmountError, match="0 decimals"):
        parse_amount("12.5", LEK)


@given(st.integers(0, 10**12), st.sampled_from(["EUR", "ALL", "RUB", "IRR"]))
def test_what_is_written_out_is_read_back(minor: int, code: str) -> None:
    currency = Currency.named(code)
    whole, rest = divmod(minor, 10**currency.exponent)
    typed = f"{whole}.{rest:0{currency.exponent}d}" if currency.exponent else str(whole)
    assert parse_amount(typed, currency) == minor
    assert parse_amount(typed.replace(".", ","), currency) == minor


def test_a_toman_is_a_unit_of_the_rial_only() -> None:
    assert msgspec.json.encode(EUR) == b'{"code":"EUR","exponent":2}'
    toman = Currency("IRR", 0, "toman")
    assert msgspec.json.decode(msgspec.json.encode(toman), type=Currency) == toman
    with pytest.raises(ValueError, match="unit of IRR"):
        Currency("EUR", 2, "toman")


def test_ten_times_the_usual_amount_is_asked_about() -> None:
    recent = [400, 450, 380, 420, 500]
    assert looks_like_a_slip(4_200, recent)
    assert not looks_like_a_slip(2_000, recent)
    assert not looks_like_a_slip(4_200, recent[:4])
