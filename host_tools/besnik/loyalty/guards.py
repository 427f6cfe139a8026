"""What protects shop and member: limits on speed and on goodwill, and who has gone quiet."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from typing import Literal

import msgspec

Activity = Literal["new", "active", "lapsed"]
Consent = Literal["allowed", "needs_pin", "refused"]


class Velocity(msgspec.Struct, frozen=True):
    """At most ``most`` earnings of one card in any ``minutes``; ``gap_s`` between two of them."""

    most: int
    minutes: int
    gap_s: int = 0


class Goodwill(msgspec.Struct, frozen=True):
    """What a cashier may give away: ``alone`` at once, more with a PIN, ``a_day`` in all."""

    alone: int = 100
    a_day: int = 500


class Transfers(msgspec.Struct, frozen=True):
    """What members may give each other: ``most`` at once and ``a_day``, of ``units`` only."""

    most: int = 1000
    a_day: int = 1000
    units: tuple[str, ...] = ("point", "stamp")


def too_fast(limit: Velocity, earlier: Iterable[dt.datetime], at: dt.datetime) -> bool:
    """Tell whether a further earning at ``at`` is one too many; then it is refused and alerted."""
    since = at - dt.timedelta(minutes=limit.minutes)
    recent = [when for when in earlier if since < when <= at]
    if recent and limit.gap_s and (at - max(recent)).total_seconds() < limit.gap_s:
        return True
    return len(recent) >= limit.most


def goodwill(limit: Goodwill, amount: int, given_today: int) -> Consent:
    """Return whether a cashier who gave ``given_today`` may give ``amount`` more, or with a PIN."""
    if amount <= 0 or given_today + amount > limit.a_day:
        return "refused"
    return "allowed" if amount <= limit.alone else "needs_pin"


def activity(last_purchase: dt.date | None, today: dt.date, window_days: int) -> Activity:
    """Return whether a member still comes: "lapsed" when no purchase in ``window_days``."""
    if last_purchase is None:
        return "new"
    return "lapsed" if (today - last_purchase).days > window_days else "active"
