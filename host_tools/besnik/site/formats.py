"""Numbers, times and dates as a reader of each language writes them.

Persian gets its own digits and the Jalali calendar, which Babel does not have
(python-babel issues 446 and 810); every other language follows CLDR through Babel.
Times are shown on the 24-hour clock in the zone of the shop.
"""

from __future__ import annotations

from datetime import date, datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal
from fractions import Fraction
from typing import Any, Final

import phonenumbers
from babel.core import Locale
from babel.dates import format_date, format_timedelta
from babel.numbers import format_decimal
from django.utils import timezone
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from persiantools import digits as persian
from persiantools.jdatetime import JalaliDate

from besnik.site.languages import LANGUAGES

Number = int | float | Decimal | Fraction

_KNOWN: Final = frozenset(code for code, _own_name in LANGUAGES)
_PERSIAN: Final = "fa"
# A sign stays at the left of its number from right to left; isolated, it gives no line a direction.
_LEFT_TO_RIGHT: Final = "\u2066{}\u2069"
_SATURDAY: Final = 5
_Jalali: Any = JalaliDate  # persiantools has no types


def localized_digits(text: str) -> str:
    """Return ``text`` with its ASCII digits as the active language writes them."""
    return str(persian.en_to_fa(text)) if language() == _PERSIAN else text


def rounded(value: Number, decimals: int = 0) -> Decimal:
    """Return a number rounded to ``decimals``, halves away from zero as people do.

    Babel rounds halves to even: whatever it formats has been through here before.
    """
    if isinstance(value, Fraction):
        exact = Decimal(value.numerator) / Decimal(value.denominator)
    else:
        exact = Decimal(str(value))
    return exact.quantize(Decimal(1).scaleb(-decimals), ROUND_HALF_UP)


def number(value: Number, decimals: int = 0, *, fixed: bool = False, signed: bool = False) -> str:
    """Return a number with the separators and digits of the active language.

    It has at most ``decimals``, and exactly as many if ``fixed``; with ``signed`` a plus if it
    is more than nothing.
    """
    value = rounded(value, decimals)
    pattern = "#,##0" + ("." + ("0" if fixed else "#") * decimals if decimals else "")
    system = "default" if language() == _PERSIAN else "latn"
    text = localized_digits(
        format_decimal(abs(value), pattern, locale=language(), numbering_system=system)
    )
    if value == 0 or (value > 0 and not signed):
        return text
    if language() == _PERSIAN:
        return _LEFT_TO_RIGHT.format(("\u2212" if value < 0 else "+") + text)
    return ("-" if value < 0 else "+") + text


def percent(share: Number, decimals: int = 1) -> str:
    """Return a share of the whole (1 is all of it) in percent: "12.5%", "12,5 %", "۱۲٫۵٪"."""
    exact = Decimal(str(share)) if isinstance(share, float) else share
    sign = str(Locale.parse(language()).percent_formats[None].suffix[0])
    if language() == _PERSIAN:
        sign = sign.replace("%", "\u066a")
    return number(exact * 100, decimals) + sign


def moment(when: datetime, now: datetime | None = None) -> str:
    """Return a time as said at a till: "today 14:05", "yesterday 9:30", "12 Mar 14:05"."""
    local = timezone.localtime(when)
    today = timezone.localtime(now).date()
    clock = localized_digits(local.strftime("%H:%M"))
    days = (today - local.date()).days
    if days == 0:
        return _("today %(time)s") % {"time": clock}
    if days == 1:
        return _("yesterday %(time)s") % {"time": clock}
    return _("%(date)s, %(time)s") % {"date": day(local.date(), today), "time": clock}


def ago(when: datetime, now: datetime | None = None) -> str:
    """Return how long ago a time was: "just now", "3 minutes ago", "2 days ago"."""
    past = (now or timezone.now()) - when
    if past < timedelta(minutes=1):
        return _("just now")
    return _in_units(-past, add_direction=True)


def span(seconds: int) -> str:
    """Return a length of time in its largest unit: "1 minute", "3 hours"."""
    return _in_units(timedelta(seconds=seconds), add_direction=False)


def _in_units(delta: timedelta, *, add_direction: bool, granularity: Any = "minute") -> str:
    return localized_digits(
        format_timedelta(
            delta,
            granularity=granularity,
            threshold=1,
            add_direction=add_direction,
            locale=language(),
        )
    )


def day(value: date, today: date | None = None) -> str:
    """Return a date without its year when that is the current one."""
    today = today or timezone.localdate()
    if language() == _PERSIAN:
        same = _Jalali(value).year == _Jalali(today).year
    else:
        same = value.year == today.year
    return _day_month(value) if same else full_day(value)


def full_day(value: date) -> str:
    """Return a date with its year: "21 Mar 2026", "۱ فروردین ۱۴۰۵"."""
    if language() == _PERSIAN:
        return f"{_day_month(value)} {localized_digits(str(_Jalali(value).year))}"
    return format_date(value, "d MMM y", locale=language())


def _day_month(value: date) -> str:
    if language() == _PERSIAN:
        jalali = _Jalali(value, locale=_PERSIAN)
        return localized_digits(f"{jalali.day} {jalali.strftime('%B')}")
    return format_date(value, "d MMM", locale=language())


def until(value: date, today: date | None = None) -> str:
    """Return how far a day is from today: "today", "tomorrow", "in 3 days", "2 weeks ago"."""
    days = (value - (today or timezone.localdate())).days
    near = {0: _("today"), 1: _("tomorrow"), -1: _("yesterday")}
    if days in near:
        return near[days]
    return _in_units(timedelta(days=days), add_direction=True, granularity="day")


def week_days() -> list[tuple[int, str]]:
    """Return the days of the week (0 is Monday) with their names, as the language begins it.

    A Persian week begins on Saturday; English ones differ, so ours begins on Monday.
    """
    first = _SATURDAY if language() == _PERSIAN else 0
    names = Locale.parse(language()).days["stand-alone"]["wide"]
    return [(n % 7, str(names[n % 7])) for n in range(first, first + 7)]


def local_date(value: date) -> date:
    """Return the day of a date or of a time, a time's in the zone of the shop."""
    return timezone.localtime(value).date() if isinstance(value, datetime) else value


def phone(number: str) -> str:
    """Return an E.164 number in its country's groups ("+355 69 123 4567"), others as they are."""
    if not number.startswith("+"):
        return number
    try:
        parsed = phonenumbers.parse(number)
    except phonenumbers.NumberParseException:
        return number
    return phonenumbers.format_number(parsed, phonenumbers.PhoneNumberFormat.INTERNATIONAL)


def language() -> str:
    """Return the code of the active language; English where we have no figures of it."""
    code = get_language()
    return code if code in _KNOWN else "en"
