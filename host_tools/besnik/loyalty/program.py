"""A program: everything a brand gives, as data."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import msgspec

from besnik.loyalty.guards import Goodwill, Transfers, Velocity
from besnik.loyalty.ledger import Unit
from besnik.loyalty.membership import JoiningGift, PaidPlan, Sunset
from besnik.loyalty.money import Currency
from besnik.loyalty.periods import Expiry, Never
from besnik.loyalty.rewards import Reward
from besnik.loyalty.rules import MOST_DAYS, RuleError, RuleSet, in_force, within
from besnik.loyalty.tiers import TierPlan


class Program(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What a brand gives, in one object that is kept as JSON (``encode``, ``decode``).

    Without rules it recognises its members and gives nothing. ``expiry`` is by unit, never if
    none is named; ``pending_days`` pass before what was earned can be spent.
    """

    id: int
    name: str
    currency: Currency
    zone: str
    rule_sets: tuple[RuleSet, ...] = ()
    tiers: TierPlan | None = None
    rewards: tuple[Reward, ...] = ()
    expiry: Mapping[Unit, Expiry] = msgspec.field(default_factory=dict)
    pending_days: int = 0
    joining_gift: JoiningGift | None = None
    paid: PaidPlan | None = None
    velocity: Velocity | None = None
    goodwill: Goodwill = Goodwill()
    transfers: Transfers = Transfers()
    offline_burn_limit: int = 0
    sunset: Sunset | None = None

    def __post_init__(self) -> None:
        try:
            ZoneInfo(self.zone)
        except (ZoneInfoNotFoundError, ValueError) as error:
            raise RuleError(f"{self.zone!r} is no time zone: use one like Europe/Tirane") from error
        versions = [rules.version for rules in self.rule_sets]
        if len(set(versions)) != len(versions):
            raise RuleError("two rule sets have the same version: a change is a new version")
        within("program", 0, MOST_DAYS, pending_days=self.pending_days)
        within("program", 0, offline_burn_limit=self.offline_burn_limit)

    @property
    def tz(self) -> ZoneInfo:
        """Return the zone whose days the program's dates are."""
        return ZoneInfo(self.zone)

    def today(self, at: dt.datetime) -> dt.date:
        """Return the program's day at ``at`` (aware)."""
        return at.astimezone(self.tz).date()

    def rules_at(self, at: dt.datetime) -> RuleSet | None:
        """Return the rules a sale at ``at`` is counted by; None if none hold, or no more."""
        day = self.today(at)
        if self.sunset is not None and not self.sunset.may_earn(day):
            return None
        return in_force(self.rule_sets, day)

    def expiry_of(self, unit: Unit) -> Expiry:
        """Return when points of ``unit`` expire."""
        return self.expiry.get(unit, Never())


def encode(program: Program) -> bytes:
    """Return the program as JSON."""
    return msgspec.json.encode(program)


def decode(data: bytes | str) -> Program:
    """Return the program that ``data`` (JSON) describes; RuleError says what is wrong with it."""
    try:
        return msgspec.json.decode(data, type=Program)
    except msgspec.ValidationError as error:
        raise RuleError(str(error)) from error
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise RuleError(f"this is no JSON: {error}") from error
