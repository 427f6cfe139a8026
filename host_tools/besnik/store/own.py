"""What a member sees of themselves: everything that is theirs, in few queries.

Nothing here is about one shop being open: it reads the database and nothing else.
"""

from __future__ import annotations

import datetime as dt
import hashlib
from collections.abc import Mapping, Sequence
from typing import Final

import msgspec
from django.db.models import Sum

from besnik.loyalty.ledger import Unit
from besnik.loyalty.lots import Balances, Lot, balances
from besnik.loyalty.program import Program
from besnik.loyalty.rewards import RewardError, affordable, allow
from besnik.loyalty.text import (
    pace_text,
    program_text,
    progress_text,
    reward_text,
    tier_table,
)
from besnik.loyalty.texts.catalogue import Message
from besnik.loyalty.tiers import Lifetime, Progress, RollingWindow, bounds, months_to_reach
from besnik.store import books, programs
from besnik.store.glance import BalanceLine
from besnik.store.glance import standing as glance_standing
from besnik.store.glance.tier import level_and_progress
from besnik.store.models import (
    Card,
    CardKind,
    CardState,
    Coupon,
    Entry,
    Member,
    Posting,
    RewardStock,
)
from besnik.store.people.codes import coupon_code

HISTORY_PAGE: Final = 20
# A pace that is further away than this tells nobody anything.
_MOST_MONTHS: Final = 24
# What rules keep for themselves; it is shown to nobody.
_INNER: Final = "carry:"
_MOST_PUNCHES: Final = 12


class TierRow(msgspec.Struct, frozen=True):
    """One tier: how to get there, and what it gives."""

    name: str
    how: Message
    gives: tuple[Message, ...]


class TierShown(msgspec.Struct, frozen=True):
    """The tier held; ``share`` (0 to 100) of the way to the next is behind, ``missing`` ahead.

    ``rows`` say what every tier needs and gives, ``window`` what counts; ``pace`` when the next
    one is reached if it goes on like this. ``missing`` and ``pace`` are None on the highest.
    """

    name: str
    next: str
    share: int
    missing: Message | None
    pace: Message | None
    rows: tuple[TierRow, ...]
    window: tuple[Message, ...]


class RewardShown(msgspec.Struct, frozen=True):
    """A reward: ``times`` it can be had now; ``missing`` of ``unit`` until the next one."""

    title: str
    text: Message
    unit: Unit
    cost: int
    times: int
    have: int
    missing: int
    sold_out: bool

    @property
    def share(self) -> int:
        """Return how much of the way is behind, from 0 to 100."""
        return 100 if self.times else min(100, self.have * 100 // max(1, self.cost))

    @property
    def punches(self) -> tuple[bool, ...]:
        """Return the boxes of a punch card, those ticked first; none where points are counted."""
        if self.unit != "stamp" or not 1 < self.cost <= _MOST_PUNCHES:
            return ()
        ticked = self.cost if self.times else self.have
        return tuple(place < ticked for place in range(self.cost))


class CouponShown(msgspec.Struct, frozen=True):
    """A coupon that can be used, with its code; ``until`` None is without end."""

    title: str
    code: str
    until: dt.datetime | None


class Expiring(msgspec.Struct, frozen=True):
    """What runs out after ``last_day`` if nothing of it is spent."""

    unit: Unit
    last_day: dt.date
    amount: int


class HistoryLine(msgspec.Struct, frozen=True):
    """One thing that changed a balance: by how much of each unit, where, on which receipt.

    ``title`` is the reward that was had, ``paid_minor`` what a purchase cost.
    """

    entry: int
    at: dt.datetime
    kind: str
    amounts: tuple[tuple[Unit, int], ...]
    shop: str
    receipt: str
    paid_minor: int | None
    title: str
    visit: bool


class History(msgspec.Struct, frozen=True):
    """A page of history, the newest first; ``older`` begins the next page, None on the last."""

    lines: tuple[HistoryLine, ...]
    older: int | None


class OwnPage(msgspec.Struct, frozen=True, kw_only=True):
    """Everything but history; ``money_minor`` None where the program keeps no money.

    ``rules``, the tier's ``rows`` and ``window``, and each reward's ``text`` are together all that
    `besnik.loyalty.text` says of the program. ``code`` is that of a printed card, or "".
    """

    program: Program
    balances: tuple[BalanceLine, ...]
    money_minor: int | None
    tier: TierShown | None
    services: tuple[str, ...]
    rewards: tuple[RewardShown, ...]
    coupons: tuple[CouponShown, ...]
    expiring: tuple[Expiring, ...]
    rules: tuple[Message, ...]
    code: str


def own_page(member: Member, at: dt.datetime) -> OwnPage:
    """Return what ``member`` sees at ``at``."""
    program = programs.current(member.program_id)
    day = program.today(at)
    wallet = books.wallet(member.pk)
    by_unit = {unit: balances(lots, at) for unit, lots in wallet.items()}
    level, ahead = level_and_progress(program, member, at)
    money = by_unit.get(program.currency.code)
    return OwnPage(
        program=program,
        balances=tuple(glance_standing.balance_lines(program, by_unit)),
        money_minor=None if money is None else money.active,
        tier=_tier(program, member, day, level, ahead),
        services=glance_standing.flags(program, member, level, day),
        rewards=tuple(_rewards(program, member, level, day, by_unit)),
        coupons=tuple(_coupons(program, member, at)),
        expiring=_expiring(program, wallet, at),
        rules=_rules(program),
        code=_printed_code(member),
    )


def history(member: Member, before: int | None = None, most: int = HISTORY_PAGE) -> History:
    """Return what changed the balances of ``member``, the newest first, before entry ``before``.

    What was only kept aside for a sale and let go changed nothing and is not in it.
    """
    moved = Posting.objects.filter(account__member=member).exclude(account__unit__startswith=_INNER)
    if before is not None:
        moved = moved.filter(entry__lt=before)
    sums = (
        moved.values("entry_id", "account__unit")
        .annotate(total=Sum("amount"))
        .exclude(total=0)
        .order_by("-entry_id", "account__unit")
        .values_list("entry_id", "account__unit", "total")
    )
    by_entry: dict[int, list[tuple[Unit, int]]] = {}
    older = None
    for entry, unit, amount in sums.iterator(chunk_size=4 * most):
        if len(by_entry) == most and entry not in by_entry:
            older = min(by_entry)
            break
        by_entry.setdefault(entry, []).append((unit, amount))
    rows = Entry.objects.filter(pk__in=by_entry).select_related(
        "tap__reader__shop", "sale__shop", "redemption"
    )
    found = {row.pk: row for row in rows}
    lines = (_line(found[entry], amounts) for entry, amounts in by_entry.items())
    return History(tuple(lines), older)


def _line(row: Entry, amounts: Sequence[tuple[Unit, int]]) -> HistoryLine:
    sale, tap = row.sale, row.tap
    shop = sale.shop.name if sale else tap.reader.shop.name if tap else ""
    redemption = getattr(row, "redemption", None)
    return HistoryLine(
        entry=row.pk,
        at=row.occurred_at or (sale.at if sale else row.created_at),
        kind=row.kind,
        amounts=tuple(amounts),
        shop=shop,
        receipt=sale.receipt if sale else "",
        paid_minor=sale.amount_minor if sale and row.kind == "accrue" else None,
        title=redemption.title if redemption else "",
        visit=tap is not None,
    )


def _tier(
    program: Program, member: Member, day: dt.date, level: int, ahead: Progress | None
) -> TierShown | None:
    plan = program.tiers
    if plan is None:
        return None
    said = tier_table(plan, program)
    rows = tuple(
        TierRow(tier.name, how, tuple(gives))
        for tier in plan.tiers
        for how, *gives in [[each for each in said if each.values.get("name") == tier.name]]
    )
    window = tuple(each for each in said if "name" not in each.values)
    if ahead is None:
        return TierShown(plan.tiers[level].name, "", 100, None, None, rows, window)
    joined = program.today(member.created_at)
    since = bounds(plan.window, day, joined)[0]
    since = joined if isinstance(plan.window, Lifetime) else max(since, joined)
    pace = None
    # A rolling window forgets as fast as it counts: no pace follows from it.
    if not isinstance(plan.window, RollingWindow):
        months = months_to_reach(ahead.needed, ahead.reached, (day - since).days + 1)
        if months is not None and 0 < months <= _MOST_MONTHS:
            pace = pace_text(ahead, plan, months)
    return TierShown(
        plan.tiers[level].name,
        plan.tiers[ahead.level].name,
        max(0, min(100, ahead.reached * 100 // max(1, ahead.needed))),
        progress_text(ahead, plan, program),
        pace,
        rows,
        window,
    )


def _rewards(
    program: Program,
    member: Member,
    level: int,
    day: dt.date,
    by_unit: Mapping[Unit, Balances],
) -> list[RewardShown]:
    """Return the rewards the member may have, those within reach first, then the nearest."""
    left = dict(RewardStock.objects.filter(program=program.id).values_list("reward", "left"))
    shown = []
    for reward in program.rewards:
        try:
            allow(reward, member.pk, level, day)
        except RewardError:
            continue
        have = by_unit[reward.unit].active if reward.unit in by_unit else 0
        times, rest = affordable(reward, have)
        shown.append(
            RewardShown(
                title=reward.title,
                text=reward_text(reward, program),
                unit=reward.unit,
                cost=reward.cost,
                times=times if reward.cost else 1,
                have=have,
                missing=max(0, reward.cost - (rest if times else have)),
                sold_out=left.get(reward.id, 1) <= 0,
            )
        )
    return sorted(shown, key=lambda each: (each.sold_out, not each.times, each.missing, each.cost))


def _coupons(program: Program, member: Member, at: dt.datetime) -> list[CouponShown]:
    titles = {reward.id: reward.title for reward in program.rewards}
    issued = Coupon.objects.filter(member=member, state="issued").order_by("until", "pk")
    return [
        CouponShown(titles.get(coupon.reward, coupon.reward), _code_of(coupon), coupon.until)
        for coupon in issued
        if coupon.until is None or at < coupon.until
    ]


def _code_of(coupon: Coupon) -> str:
    """Return a coupon's code, "" for one that was issued elsewhere: only its digest is kept."""
    code = coupon_code(coupon.pk)
    return code if hashlib.sha256(code.encode()).hexdigest() == coupon.digest else ""


def _expiring(
    program: Program, wallet: Mapping[Unit, Sequence[Lot]], at: dt.datetime
) -> tuple[Expiring, ...]:
    found = (
        Expiring(unit, day, amount)
        for unit, day, amount in glance_standing.running_out(program, wallet, at)
    )
    return tuple(sorted(found, key=lambda each: (each.last_day, each.unit)))


def _rules(program: Program) -> tuple[Message, ...]:
    """Return what a program promises, but for tiers and rewards, which are shown with it."""
    shown = [] if program.tiers is None else tier_table(program.tiers, program)
    shown += [reward_text(reward, program) for reward in program.rewards]
    return tuple(message for message in program_text(program) if message not in shown)


def _printed_code(member: Member) -> str:
    cards = Card.objects.filter(member=member, kind=CardKind.CODE, state=CardState.ACTIVE)
    return cards.order_by("-pk").values_list("data", flat=True).first() or ""
