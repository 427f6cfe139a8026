"""Numbers and times in the five languages."""

from __future__ import annotations

import datetime as dt

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
