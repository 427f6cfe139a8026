"""Numbers and times in the five languages."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from fractions import Fraction

import pytest
from django.utils import timezone, translation

from besnik.site import formats

NOW = dt.datetime(2026, 3, 21, 15, 0, tzinfo=dt.UTC)


@pytest.mark.parametrize(
    ("language", "text"),
    [
        ("en", "1,234,567"),
        ("sq", "1\u00a0234\u00a0567"),
        ("ru", "1\u00a0234\u00a0567"),
        ("el", "1.234.567"),
        ("fa", "۱٬۲۳۴٬۵۶۷"),
    ],
)
def test_a_number(language: str, text: str) -> None:
    with translation.override(language):
        assert formats.number(1234567) == text


@pytest.mark.parametrize(
    ("ago", "language", "text"),
    [
        (dt.timedelta(minutes=55), "en", "today 14:05"),
        (dt.timedelta(minutes=55), "sq", "sot 14:05"),
        (dt.timedelta(minutes=55), "ru", "сегодня 14:05"),
        (dt.timedelta(minutes=55), "el", "σήμερα 14:05"),
        (dt.timedelta(minutes=55), "fa", "امروز ۱۴:۰۵"),
        (dt.timedelta(hours=16), "en", "yesterday 23:00"),
        (dt.timedelta(days=9), "en", "12 Mar, 15:00"),
        (dt.timedelta(days=9), "el", "12 Μαρ, 15:00"),
        (dt.timedelta(days=365), "ru", "21 мар. 2025, 15:00"),
        (dt.timedelta(days=9), "fa", "۲۱ اسفند ۱۴۰۴، ۱۵:۰۰"),
    ],
)
def test_a_moment(ago: dt.timedelta, language: str, text: str) -> None:
    with translation.override(language), timezone.override(dt.UTC):
        assert formats.moment(NOW - ago, NOW) == text


def test_a_moment_is_told_in_the_shop_s_time_zone() -> None:
    with translation.override("en"), timezone.override("Asia/Tehran"):
        assert formats.moment(dt.datetime(2026, 3, 20, 20, 30, tzinfo=dt.UTC), NOW) == "today 00:00"


def test_the_jalali_year_is_left_out_in_the_same_year() -> None:
    with translation.override("fa"):
        assert formats.day(dt.date(2026, 3, 21), dt.date(2026, 6, 1)) == "۱ فروردین"
        assert formats.day(dt.date(2025, 3, 20), dt.date(2026, 6, 1)) == "۳۰ اسفند ۱۴۰۳"


@pytest.mark.parametrize(
    ("language", "value", "decimals", "text"),
    [
        ("sq", 1234567.89, 2, "1~234~567,89"),
        ("ru", 1234567.89, 2, "1~234~567,89"),
        ("el", 1234567.89, 2, "1.234.567,89"),
        ("fa", 1234567.89, 2, "۱٬۲۳۴٬۵۶۷٫۸۹"),
        ("en", 1234567.89, 2, "1,234,567.89"),
        ("en", Fraction(2, 3), 2, "0.67"),
        ("en", 0.5, 0, "1"),
        ("en", 2.5, 0, "3"),
        ("en", Decimal("-2.5"), 0, "-3"),
        ("en", 12, 1, "12"),
        ("fa", -5, 0, "\u2066\u2212۵\u2069"),
    ],
)
def test_a_number_with_decimals(
    language: str, value: formats.Number, decimals: int, text: str
) -> None:
    with translation.override(language):
        assert formats.number(value, decimals) == text.replace("~", "\u00a0")


@pytest.mark.parametrize(
    ("language", "text"),
    [
        ("en", "21 Mar 2026"),
        ("sq", "21 mar 2026"),
        ("ru", "21 мар. 2026"),
        ("el", "21 Μαρ 2026"),
        ("fa", "۱ فروردین ۱۴۰۵"),
    ],
)
def test_a_whole_date(language: str, text: str) -> None:
    with translation.override(language):
        assert formats.full_day(NOW.date()) == text


def test_the_leap_day_of_jalali_1403() -> None:
    with translation.override("fa"):
        assert formats.full_day(dt.date(2025, 3, 20)) == "۳۰ اسفند ۱۴۰۳"
        assert formats.full_day(dt.date(2026, 3, 20)) == "۲۹ اسفند ۱۴۰۴"


@pytest.mark.parametrize(
    ("language", "texts"),
    [
        ("en", ["yesterday", "today", "tomorrow", "in 3 days", "in 2 weeks", "3 days ago"]),
        ("sq", ["dje", "sot", "nesër", "pas 3 ditësh", "pas 2 javësh", "3 ditë më parë"]),
        ("ru", ["вчера", "сегодня", "завтра", "через 3 дня", "через 2 недели", "3 дня назад"]),
        ("el", ["χθες", "σήμερα", "αύριο", "σε 3 ημέρες", "σε 2 εβδομάδες", "πριν από 3 ημέρες"]),
        ("fa", ["دیروز", "امروز", "فردا", "۳ روز دیگر", "۲ هفته بعد", "۳ روز پیش"]),
    ],
)
def test_how_far_a_day_is(language: str, texts: list[str]) -> None:
    today = NOW.date()
    with translation.override(language):
        found = [formats.until(today + dt.timedelta(n), today) for n in (-1, 0, 1, 3, 14, -3)]
    assert found == texts


@pytest.mark.parametrize(
    ("language", "first"),
    [("en", (0, "Monday")), ("ru", (0, "понедельник")), ("fa", (5, "شنبه"))],
)
def test_the_first_day_of_a_week(language: str, first: tuple[int, str]) -> None:
    with translation.override(language):
        days = formats.week_days()
    assert days[0] == first
    assert sorted(n for n, _ in days) == list(range(7))


def test_a_time_s_day_is_that_of_the_shop() -> None:
    with timezone.override("Asia/Tehran"):
        evening = dt.datetime(2026, 3, 20, 20, 30, tzinfo=dt.UTC)
        assert formats.local_date(evening) == formats.local_date(NOW.date()) == NOW.date()


def test_a_phone_number_is_grouped_and_a_mask_stays() -> None:
    assert formats.phone("+302101234567") == "+30 21 0123 4567"
    assert formats.phone("•••4567") == "•••4567"
    assert formats.phone("+") == "+"
