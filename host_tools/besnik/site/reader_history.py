"""What a reader did in the hours and days before: its signal, its taps, what went wrong."""

from __future__ import annotations

import datetime as dt
from typing import Final

import msgspec
from django.db.models import Count
from django.db.models.functions import TruncHour
from django.utils import timezone
from django.utils.translation import get_language_bidi
from django.utils.translation import gettext as _

from besnik.site import formats
from besnik.site.owner import charts
from besnik.site.owner.charts import Column, Columns
from besnik.store.models import Reader, ReaderHour, Tap

HOURS: Final = 24
DAYS: Final = 7
# A column grows from the weakest signal that a radio still makes something of.
_FLOOR_DBM: Final = -100
_SCALE_DBM: Final = (-100, -80, -60, -40)


class Day(msgspec.Struct, frozen=True):
    """What went wrong on a day."""

    day: dt.date
    restarts: int
    reconnects: int
    rc522_recoveries: int
    dropped: int


def signal(reader: Reader, now: dt.datetime) -> Columns | None:
    """Return the picture of the mean signal of each of the last hours; None if it said nothing."""
    rows = ReaderHour.objects.filter(reader=reader, said__gt=0, hour__gt=_first(now))
    means = {row.hour: row.rssi_sum_dbm / row.said for row in rows}
    if not means:
        return None
    values = [
        Column(
            _clock(hour),
            max(0.0, means[hour] - _FLOOR_DBM) if hour in means else 0.0,
            _dbm(means[hour]) if hour in means else _("not said"),
        )
        for hour in _hours(now)
    ]
    scale = [(float(dbm - _FLOOR_DBM), _dbm(dbm)) for dbm in _SCALE_DBM]
    title = _("Wi-Fi signal hour by hour")
    return charts.columns(title, values, scale, rtl=get_language_bidi())


def taps(reader: Reader, now: dt.datetime) -> Columns:
    """Return the picture of how many cards were held to it in each of the last hours."""
    rows = (
        Tap.objects.filter(reader=reader, received_at__gte=_hours(now)[0])
        .annotate(hour=TruncHour("received_at", tzinfo=dt.UTC))
        .values("hour")
        .annotate(taps=Count("pk"))
        .values_list("hour", "taps")
    )
    counts = dict(rows)
    values = [
        Column(_clock(hour), counts.get(hour, 0), formats.number(counts.get(hour, 0)))
        for hour in _hours(now)
    ]
    most = max(4, *(column.value for column in values))
    scale = [(step, formats.number(step)) for step in charts.steps(most)]
    return charts.columns(_("Taps hour by hour"), values, scale, rtl=get_language_bidi())


def days(reader: Reader, now: dt.datetime) -> list[Day]:
    """Return what went wrong day by day, the newest first; days without a word are left out."""
    first = _first(now) - dt.timedelta(days=DAYS - 1)
    found: dict[dt.date, list[int]] = {}
    names = Day.__struct_fields__[1:]
    for row in ReaderHour.objects.filter(reader=reader, hour__gt=first).order_by("-hour"):
        sums = found.setdefault(timezone.localtime(row.hour).date(), [0] * len(names))
        for place, name in enumerate(names):
            sums[place] += getattr(row, name)
    return [Day(day, *sums) for day, sums in found.items()]


def _first(now: dt.datetime) -> dt.datetime:
    """Return the beginning of the hour before the first that is shown."""
    full = now.astimezone(dt.UTC).replace(minute=0, second=0, microsecond=0)
    return full - dt.timedelta(hours=HOURS)


def _hours(now: dt.datetime) -> list[dt.datetime]:
    return [_first(now) + dt.timedelta(hours=place) for place in range(1, HOURS + 1)]


def _clock(hour: dt.datetime) -> str:
    return formats.localized_digits(f"{timezone.localtime(hour):%H:%M}")


def _dbm(value: float) -> str:
    """Write a level from left to right in every language (Unicode's LRI and PDI around it)."""
    return formats.localized_digits(f"\u2066{value:.0f} dBm\u2069")
