"""How fast a card may earn and how much a member in a period: `besnik.loyalty.visits.Bounds`.

What comes too soon is refused, with an alert. What is over a cap is not given, and the visit counts
all the same.
"""

from __future__ import annotations

import datetime as dt
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from typing import Final, Protocol

import msgspec
from msgspec.structs import replace

from besnik.loyalty.guards import Velocity, too_fast
from besnik.loyalty.visits import Limit
from besnik.store.hot import DecidedTap, TapKey

_ALERT: Final = "too_fast"


class EarningRows(Protocol):
    """What is known of earnings; read within the transaction that writes the taps."""

    def earnings(
        self, card: int, member: int, unit: str, since: dt.datetime
    ) -> Iterable[dt.datetime]:
        """Return when this card of the member earned ``unit`` after ``since``, in any order."""

    def given(self, member: int, limit: Limit) -> int:
        """Return what the member earned that the limit counts."""


def needs_judging(tap: DecidedTap) -> bool:
    """Whether what a tap earns depends on what else was earned."""
    return tap.bounds is not None and tap.entry is not None and tap.card is not None


def judged(taps: Mapping[TapKey, DecidedTap], rows: EarningRows) -> dict[TapKey, DecidedTap]:
    """Return those of the taps that are worth something else than was thought, in order."""
    batch = _Batch(rows)
    return {
        key: worth
        for key, tap in taps.items()
        if needs_judging(tap) and (worth := batch.judged(tap)) is not tap
    }


def alert(tap: DecidedTap) -> tuple[str, int | None, str]:
    """Return kind, member and detail (JSON) of the alert of a tap that came too soon."""
    card, member = (None, None) if tap.card is None else (tap.card.card, tap.card.member)
    limit = None if tap.bounds is None else tap.bounds.velocity
    minutes = None if limit is None else limit.minutes
    detail = {"card": card, "reader": tap.reader, "tap": tap.tap_id, "minutes": minutes}
    return _ALERT, member, msgspec.json.encode(detail).decode()


class _Batch:
    """Taps in their order, each held against those before it and what is written."""

    def __init__(self, rows: EarningRows) -> None:
        self._rows = rows
        self._moments: defaultdict[int, list[dt.datetime]] = defaultdict(list)
        self._given: Counter[tuple[int, Limit]] = Counter()

    def judged(self, tap: DecidedTap) -> DecidedTap:
        assert tap.bounds is not None
        assert tap.card is not None
        card = tap.card.card
        if tap.bounds.velocity is not None and self._too_fast(tap, tap.bounds.velocity):
            return replace(tap, outcome="rejected", reason="too_soon", entry=None)
        if tap.bounds.limits:
            tap = self._capped(tap, tap.card.member, tap.bounds.limits)
        self._moments[card].append(tap.happened_at)
        return tap

    def _too_fast(self, tap: DecidedTap, limit: Velocity) -> bool:
        assert tap.card is not None
        assert tap.entry is not None
        card, at = tap.card, tap.happened_at
        since = at - dt.timedelta(seconds=max(limit.minutes * 60, limit.gap_s))
        unit = tap.entry.postings[0].unit
        written = self._rows.earnings(card.card, card.member, unit, since)
        return too_fast(limit, [*written, *self._moments[card.card]], at)

    def _capped(self, tap: DecidedTap, member: int, limits: tuple[Limit, ...]) -> DecidedTap:
        assert tap.bounds is not None
        used = {
            limit.rule: self._rows.given(member, limit) + self._given[member, limit]
            for limit in limits
        }
        entry = tap.bounds.accrue(member, used)
        for lot in () if entry is None else entry.opens:
            for limit in limits:
                if limit.unit == lot.unit:
                    self._given[member, limit] += lot.amount
        return tap if entry == tap.entry else replace(tap, entry=entry)
