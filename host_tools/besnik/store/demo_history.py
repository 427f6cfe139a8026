"""Half a year of a café's life for the demo shop: rules, regulars, sales and rewards.

Everything goes through the till's own verbs, each at its moment in the past, so what the pages
show is what a shop would have. The same names and sales come out each time.
"""

from __future__ import annotations

import contextlib
import datetime as dt
import random
import time
from collections.abc import Iterator
from typing import Final

import msgspec
from django.utils import timezone

from besnik import demo
from besnik.loyalty.guards import Velocity
from besnik.loyalty.membership import JoiningGift
from besnik.loyalty.periods import AfterMonths
from besnik.loyalty.program import Program as Rules
from besnik.loyalty.rewards import Access, AmountOff, FreeItem, Reward
from besnik.loyalty.rules import PerAmount, PerVisit, RuleSet
from besnik.loyalty.tiers import RollingWindow, Tier, TierPlan
from besnik.store import programs, till
from besnik.store.models import Member, Program, ProgramVersion, Sale, Staff, Till
from besnik.store.people import Details, enrol
from besnik.store.till.asks import Accrue, Item, Payment, Redeem, Who

DAYS: Final = 180
_SEED: Final = 20261122
_REGULARS: Final = (
    ("Besa Gjoka", "sq"),
    ("Arben Kola", "sq"),
    ("Drita Marku", "sq"),
    ("Gent Prifti", "sq"),
    ("Анна Соколова", "ru"),
    ("Илья Фёдоров", "ru"),
    ("Мария Лебедева", "ru"),
    ("Γιώργος Νικολάου", "el"),
    ("Μαρία Δημητρίου", "el"),
    ("Κώστας Γεωργίου", "el"),
    ("نرگس احمدی", "fa"),
    ("رضا موسوی", "fa"),
    ("لیلا حسینی", "fa"),
    ("Hannah Clarke", "en"),
    ("James Wright", "en"),
    ("Nora Lind", "en"),
)
# What, of which category, for how many cents.
_MENU: Final = (
    ("Espresso", "coffee", 180),
    ("Cappuccino", "coffee", 260),
    ("Filter coffee", "coffee", 220),
    ("Croissant", "bakery", 240),
    ("Byrek", "bakery", 290),
    ("Sandwich", "lunch", 590),
    ("Salad", "lunch", 780),
    ("Beans, 250 g", "beans", 1_150),
)
# SQLite has one writer and no queue: who writes without a pause leaves the bridge no turn.
_PAUSE_S: Final = 0.02
_TENDERS: Final = ("cash", "card", "card")
_REDEEMS: Final = 0.2


def seed(days: int = DAYS) -> int:
    """Write the last ``days`` up to now, and return how many sales these are.

    A shop that has sold anything is left as it is.
    """
    counter = Till.objects.select_related("shop__program").get(shop__slug=demo.SHOP, slug=demo.TILL)
    program = counter.shop.program
    if Sale.objects.filter(program=program).exists():
        return 0
    now = timezone.now()
    begun = now - dt.timedelta(days=days)
    if ProgramVersion.objects.filter(program=program).count() == 1:
        programs.publish(_rules(programs.current(program.pk), begun.date()), now)
    dice = random.Random(_SEED)
    members = list(Member.objects.filter(program=program, cards__state="active").distinct())
    members += [_regular(program, dice, place) for place in range(len(_REGULARS))]
    for member in members:
        member.created_at = now - dt.timedelta(days=dice.randint(days // 6, days))
        member.save(update_fields=["created_at"])
    cashier = Staff.objects.get(username="demo-cashier")
    sales = 0
    for at, whose in sorted(_visits(dice, members, begun, now), key=lambda visit: visit[0]):
        place = till.Place.of_staff(cashier, counter, at, vouched=True)
        _sell(place, dice, sales, whose)
        sales += 1
        time.sleep(_PAUSE_S)
    return sales


def _regular(program: Program, dice: random.Random, place: int) -> Member:
    name, language = _REGULARS[place]
    details = Details(
        phone=f"+3556900001{place:02}",
        birthday=dt.date(1960 + dice.randint(0, 44), dice.randint(1, 12), 11),
        motive=dice.choice(("price", "quality", "status", "convenience")),
    )
    return enrol(program, name=name, language=language, details=details)


def _visits(
    dice: random.Random, members: list[Member], begun: dt.datetime, now: dt.datetime
) -> Iterator[tuple[dt.datetime, Member | None]]:
    for member in members:
        # How many days pass between two visits.
        every_days = dice.choice((4, 7, 7, 10, 21, 45))
        # Some stop coming: otherwise nobody would ever be lost.
        until = now - dt.timedelta(days=dice.choice((0, 0, 0, 0, 75)))
        at = member.created_at + dt.timedelta(hours=dice.randint(1, 48))
        while at < until - dt.timedelta(hours=1):
            yield _opening_hours(dice, at), member
            at += dt.timedelta(days=max(1.0, dice.gauss(every_days, every_days / 4)))
    for day in range(1, (now - begun).days):
        for _ in range(dice.choice((0, 1, 1, 2))):
            yield _opening_hours(dice, now - dt.timedelta(days=day)), None


def _opening_hours(dice: random.Random, day: dt.datetime) -> dt.datetime:
    at = day.replace(
        hour=dice.randint(7, 17), minute=dice.randint(0, 59), second=dice.randint(0, 59)
    )
    return min(at, day)


def _sell(place: till.Place, dice: random.Random, number: int, whose: Member | None) -> None:
    bought = dice.choices(_MENU, k=dice.choice((1, 1, 2, 2, 3)))
    lines = tuple(
        Item(id=str(line), title=title, category=category, amount_minor=cents)
        for line, (title, category, cents) in enumerate(bought, 1)
    )
    who = Who(member=whose.ref) if whose else None
    used: tuple[int, ...] = ()
    if who and dice.random() < _REDEEMS:
        # Who has too few points yet pays as always.
        with contextlib.suppress(till.TillError):
            given = till.redeem(place, Redeem(who=who, reward="two-off", lines=lines))
            used, lines = (given.redemption,), given.lines
    total = sum(line.amount_minor for line in lines)
    till.accrue(
        place,
        Accrue(
            receipt=f"D{number:05}",
            who=who,
            lines=lines,
            tenders=(Payment(kind=dice.choice(_TENDERS), amount_minor=total),),
            redemptions=used,
        ),
    )


def _rules(first: Rules, first_day: dt.date) -> Rules:
    """Return ``first`` with points, rewards and tiers."""
    return msgspec.structs.replace(
        first,
        rule_sets=(
            *first.rule_sets,
            RuleSet(
                version=2,
                first_day=first_day,
                rules=(
                    PerVisit(id="visit", unit="stamp"),
                    PerAmount(id="spend", per_minor=100),
                ),
            ),
        ),
        tiers=TierPlan(
            tiers=(
                Tier(name="Regular", threshold=0),
                Tier(name="Silver", threshold=8_000, times_bp=12_000, benefits=("seat kept",)),
                Tier(
                    name="Gold",
                    threshold=20_000,
                    times_bp=15_000,
                    benefits=("seat kept", "priority"),
                ),
            ),
            window=RollingWindow(days=180),
        ),
        rewards=(
            Reward(
                id="free-coffee",
                title="free coffee",
                kind=FreeItem(categories=("coffee",)),
                cost=10,
                unit="stamp",
            ),
            Reward(id="two-off", title="€2 off", kind=AmountOff(200), cost=25),
            Reward(id="tote-bag", title="tote bag", kind=Access(), cost=120, stock=20),
        ),
        expiry={"point": AfterMonths(24)},
        joining_gift=JoiningGift(10),
        velocity=Velocity(most=20, minutes=10),
    )
