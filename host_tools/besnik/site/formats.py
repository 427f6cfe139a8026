"""Numbers, times and dates as a reader of each language writes them.

Persian gets its own digits and the Jalali calendar, which Babel does not have
(python-babel issues 446 and 810); every other language follows CLDR through Babel.
Times are shown on the 24-hour clock in the zone of the shop.
"""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Any, Final

from babel.dates import format_date, format_timedelta
from babel.numbers import format_decimal
from django.utils import timezone
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from persiantools import digits as persian
from persiantools.jdatetime import JalaliDate

_PERSIAN: Final = "fa"
_Jalali: Any = JalaliDate  # persiantools has no types


def localized_digits(text: str) -> str:
    """Return ``text`` with its ASCII digits as the active language writes them."""
    return str(persian.en_to_fa(text)) if _language() == _PERSIAN else text


def number(value: int) -> str:
    """Return a whole number with the separators and digits of the active language."""
    system = "default" if _language() == _PERSIAN else "latn"
    return localized_digits(format_decimal(value, locale=_language(), numbering_system=system))


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


def _in_units(delta: timedelta, *, add_direction: bool) -> str:
    return localized_digits(
        format_timedelta(
            delta,
            granularity="minute",
            threshold=1,
            add_direction=add_direction,
            locale=_language(),
        )
    )


def day(value: date, today: date) -> str:
    """Return a date without its year when that is the current one."""
    if _language() == _PERSIAN:
        jalali = _Jalali(value, locale=_PERSIAN)
        year = "" if jalali.year == _Jalali(today).year else f" {jalali.year}"
        return localized_digits(f"{jalali.day} {jalali.strftime('%B')}{year}")
    pattern = "d MMM" if value.year == today.year else "d MMM y"
    return format_date(value, pattern, locale=_language())


def _language() -> str:
    return get_language() or "en"
