"""Looking without touching: who is meant, and what a member has."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from typing import Final, cast

from django.db.models import Q
from django.utils.translation import get_language

from besnik.credentials.assess import Tier as TapTier
from besnik.credentials.assess import may_redeem
from besnik.loyalty.advice import AtCounter, alert, chips, worth_minor
from besnik.loyalty.lots import Balances, balances, expiring
from besnik.loyalty.membership import PaidMembership, benefits
from besnik.loyalty.program import Program
from besnik.loyalty.rewards import AmountOff, RewardError, affordable, allow
from besnik.loyalty.texts.catalogue import LANGUAGES, Language, say
from besnik.loyalty.tiers import Progress, bounds, progress, reached
from besnik.store import books
from besnik.store.models import Coupon, Member, Person, Reader, RewardStock, Tap
from besnik.store.models import Program as ProgramRow
from besnik.store.people import finding
from besnik.store.till import standing
from besnik.store.till.asks import Inquire, Search
from besnik.store.till.errors import TillError
from besnik.store.till.place import Place
from besnik.store.till.results import (
    CouponLine,
    Expiring,
    Found,
    Inquiry,
    Match,
    Membership,
    RewardLine,
    Tier,
)
from besnik.store.till.who import known

# A tap older than this is no longer the person who stands at the till.
PRESENT_FOR: Final = dt.timedelta(minutes=5)
_MOST_PRESENT: Final = 5
_HIDDEN: Final = "carry:"


def search(place: Place, ask: Search) -> Found:
    """Return the members who may be meant; the phone is masked. TillError for an empty question."""
    if ask.present:
        return Found(matches=_present(place))
    if not ask.text.strip():
        raise TillError("nothing_asked")
    program = ProgramRow.objects.get(pk=place.program)
    return Found(
        matches=tuple(
            Match(each.ref, each.name, each.phone, each.status, each.by, each.cards)
            for each in finding.find(program, ask.text, place.role)
        )
    )


def inquire(place: Place, ask: Inquire) -> Inquiry:
    """Return what a member has, now or at ``ask.at``; TillError."""
    program, at = place.rules(), ask.at or place.now
    member = known(place, ask.who, even_closed=True).member
    wallet = books.wallet(member.pk)
    active = {unit: balances(lots, at).active for unit, lots in wallet.items()}
    day = program.today(at)
    level, tier, further = _tier(program, member, at, place.now)
    person = Person.objects.filter(member=member).first()
    born = person.birthday if person else None
    seen = AtCounter(
        member=member.pk,
        level=level,
        day=day,
        active=active,
        birthday=born is not None and (born.month, born.day) == (day.month, day.day),
        expiring=[
            (unit, program.today(until - dt.timedelta(microseconds=1)), amount)
            for unit, lots in wallet.items()
            if not unit.startswith(_HIDDEN)
            for until, amount in expiring(lots, at)
        ],
        progress=further,
        left=dict(RewardStock.objects.filter(program=program.id).values_list("reward", "left")),
        motive=person.motive if person else "",
    )
    paid = _membership(program, member, day)
    line = alert(program, seen)
    return Inquiry(
        member=member.ref,
        name=member.name,
        language=member.language,
        status=member.status,
        since=member.created_at,
        currency=program.currency.code,
        exponent=program.currency.exponent,
        balances=_balances(program, member, at),
        worth_minor=worth_minor(program, seen),
        stored_minor=active.get(program.currency.code, 0),
        tier=tier,
        membership=paid,
        benefits=(*(tier.benefits if tier else ()), *(paid.benefits if paid else ())),
        now=tuple(chip.reward.id for chip in chips(program, seen)),
        rewards=tuple(_rewards(program, seen)),
        coupons=_coupons(program, member, at),
        expiring=tuple(Expiring(*each) for each in seen.expiring),
        said=say(line, _language(ask.language)) if line else "",
    )


def _present(place: Place) -> tuple[Match, ...]:
    since = place.now - PRESENT_FOR
    found = []
    for reader in Reader.objects.filter(till=place.till):
        taps = Tap.objects.filter(reader=reader, received_at__gt=since, member__isnull=False)
        found += list(taps.select_related("member").order_by("-received_at")[:_MOST_PRESENT])
    found.sort(key=lambda tap: tap.received_at, reverse=True)
    return tuple(
        Match(
            tap.member.ref,
            tap.member.name,
            "",
            tap.member.status,
            "tap",
            tap=tap.pk,
            may_redeem=may_redeem(cast(TapTier, tap.tier)),
        )
        for tap in found[:_MOST_PRESENT]
        if tap.member is not None
    )


def _balances(program: Program, member: Member, at: dt.datetime) -> dict[str, Balances]:
    has = books.balances_of(member.pk, at)
    given = [rule.unit for rules in program.rule_sets[-1:] for rule in rules.rules]
    nothing = Balances(0, 0, 0, 0, 0, 0)
    return {unit: has.get(unit, nothing) for unit in dict.fromkeys((*given, *has))}


def _tier(
    program: Program, member: Member, at: dt.datetime, now: dt.datetime
) -> tuple[int, Tier | None, Progress | None]:
    """Return the level held at ``at``, what is shown of it, and the way to the next."""
    plan, held = program.tiers, standing.held_at(program, member, at, now)
    if plan is None or held is None:
        return 0, None, None
    day, joined = program.today(at), program.today(member.created_at)
    day = max(day, joined)
    first = bounds(plan.window, day, joined)[0]
    soon = at + standing.SOON
    amount = reached(plan.window, standing.counted(program, plan, member, first, soon), day, joined)
    further = progress(plan, held.level, amount)
    own = plan.tiers[held.level]
    shown = Tier(
        level=held.level,
        name=own.name,
        benefits=own.benefits,
        until=held.until,
        next=plan.tiers[further.level].name if further else "",
        missing=further.missing if further else None,
    )
    return held.level, shown, further


def _membership(program: Program, member: Member, day: dt.date) -> Membership | None:
    if program.paid is None:
        return None
    terms = member.paid_terms.filter(first_day__lte=day, last_day__gte=day)
    for term in terms:
        paid = PaidMembership(term.fee_minor, term.first_day, term.last_day)
        given = benefits(program.paid, paid, day)
        return Membership(term.first_day, term.last_day, given)
    return None


def _rewards(program: Program, seen: AtCounter) -> Iterable[RewardLine]:
    """Yield the whole catalogue as far as it is for this member, also what is too dear yet."""
    for reward in program.rewards:
        try:
            allow(reward, seen.member, seen.level, seen.day)
        except RewardError:
            continue
        full, rest = affordable(reward, seen.active.get(reward.unit, 0))
        left = seen.left.get(reward.id, reward.stock)
        yield RewardLine(
            reward=reward.id,
            title=reward.title,
            cost=reward.cost,
            unit=reward.unit,
            times=full if left is None else min(full, left),
            full=full,
            rest=rest,
            left=left,
            off_minor=reward.kind.amount_minor if isinstance(reward.kind, AmountOff) else None,
        )


def _coupons(program: Program, member: Member, at: dt.datetime) -> tuple[CouponLine, ...]:
    titles = {reward.id: reward.title for reward in program.rewards}
    usable = Q(state="issued") | Q(state="reserved", held_until__lte=at)
    return tuple(
        CouponLine(row.reward, titles.get(row.reward, row.reward), row.tail, row.until)
        for row in Coupon.objects.filter(usable, member=member).order_by("pk")
        if row.until is None or at < row.until
    )


def _language(asked: str) -> Language:
    for code in (asked, get_language() or ""):
        for language in LANGUAGES:
            if code.startswith(language):
                return language
    return "en"
