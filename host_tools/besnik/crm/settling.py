"""What can be done about a difference between a CRM and the ledger, one by one, by the owner."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from typing import Final, Literal

from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone

from besnik.crm import cache, front, moving
from besnik.crm.foreign import CrmAnswerError, Customer, Delivered, Visit
from besnik.crm.holders import hold
from besnik.crm.joining import language_of
from besnik.crm.matching import Here
from besnik.crm.outbox import UNTOLD
from besnik.crm.taking import note, take
from besnik.loyalty.ledger import ADJUSTED, NewLot
from besnik.loyalty.operations import accrue, redeem
from besnik.loyalty.periods import expires_at
from besnik.store import programs
from besnik.store.books import writing
from besnik.store.models import (
    Account,
    CrmDelivery,
    CrmDifference,
    CrmLink,
    CrmRecord,
    CrmSource,
    Member,
    MemberStatus,
    Staff,
)
from besnik.store.people import clean_name, rename

Deed = Literal["again", "theirs", "ours", "anew", "unlink"]

# What can be done about each kind; the first is what is done most.
DEEDS: Final[Mapping[str, tuple[Deed, ...]]] = {
    "name": ("theirs", "again"),
    "points": ("ours", "theirs", "again"),
    "card_of_other": ("again",),
    "two_members": ("again",),
    "twice": ("again",),
    "left": ("again",),
    "unnamed": ("again",),
    "bad_card": ("again",),
    "gone": ("anew", "unlink", "again"),
}
_CHUNK: Final = 500


def settle(source: CrmSource, difference: CrmDifference, deed: Deed, staff: Staff) -> None:
    """Do what the owner chose; CrmError, and nothing changed, if the CRM cannot be asked.

    It goes by what the CRM says now, not by what it said when the difference was found.
    """
    if deed not in DEEDS[difference.kind]:
        raise ValueError(f"{deed} does nothing about {difference.kind}")
    if deed == "anew":
        _make_anew(difference)
    elif deed == "unlink":
        _keep_here(difference)
    elif deed == "ours":
        _tell_balance(source, difference)
    else:
        customer = asyncio.run(_ask(source, difference.external_id))
        if deed == "theirs" and customer is not None:
            _take_theirs(source, difference, customer, staff)
        _look(source, difference, customer)


def send_again(delivery: CrmDelivery) -> None:
    """Let an event that the CRM refused wait once more; with a new member what they did."""
    rows = CrmDelivery.objects.filter(pk=delivery.pk)
    if delivery.entry is None and delivery.tap is None:
        rows = CrmDelivery.objects.filter(member=delivery.member_id, state="refused")
    rows.update(state="waiting", tries=0, next_at=None, why="")


def only_here(program: int) -> int:
    """Return how many members are no customers there."""
    return _unlinked(program).count()


def write_there(source: CrmSource) -> int:
    """Let all members that are no customers there wait to be made such; return how many do."""
    made = 0
    last = 0
    while some := list(_unlinked(source.program_id).filter(pk__gt=last).order_by("pk")[:_CHUNK]):
        last = some[-1].pk
        for member in some:
            _wait_anew(member)
        made += len(some)
    return made


async def _tell(source: CrmSource, visit: Visit) -> Sequence[Delivered]:
    async with front.opened(source) as crm:
        # A click that was answered too late may have been carried out.
        return await crm.record_visits([visit], again=True)


async def _ask(source: CrmSource, external_id: str) -> Customer | None:
    async with front.opened(source) as crm:
        found = await crm.refresh([external_id], cache.shown_fields(source))
        return found.get(external_id)


@transaction.atomic
def _look(source: CrmSource, difference: CrmDifference, customer: Customer | None) -> None:
    """Find anew what differs about one customer."""
    program = moving.locked(source).program_id
    if customer is None:
        links = CrmLink.objects.filter(program=program, external_id=difference.external_id)
        mine = CrmDifference.objects.filter(program=program, external_id=difference.external_id)
        if not links.exists():
            mine.delete()
        else:
            mine.exclude(kind="gone").exclude(pk=difference.pk).delete()
            difference.kind, difference.there = "gone", ""
            difference.save()
        return
    hold(program, [customer])
    matches = [Here(source, [customer]).match(customer)]
    take(source, matches, language_of(program), timezone.now())
    note(source, matches, timezone.now())


def _take_theirs(
    source: CrmSource, difference: CrmDifference, customer: Customer, staff: Staff
) -> None:
    member = difference.member
    if member is None:
        return
    if difference.kind == "name":
        rename(member, clean_name(customer.name))
    elif customer.points is not None:
        _adjust(source, member, customer.points, staff)


def _adjust(source: CrmSource, member: Member, points: int, staff: Staff) -> None:
    """Bring a member's balance to ``points``; the CRM, which has them, is not told of it."""
    program, now = programs.current(source.program_id), timezone.now()
    with writing(program.id, [member.pk]) as books:
        change = points - _balance(source, member)
        if change > 0:
            until = expires_at(program.expiry_of(source.unit), now, program.tz)
            lot = NewLot(member.pk, source.unit, change, now, now, until)
            entry = accrue(program.id, lot, source=ADJUSTED, kind="adjust", reason="as in the CRM")
        elif change < 0:
            lots = books.lots(member.pk, source.unit)
            entry = redeem(program.id, lots, -change, now, to=ADJUSTED, reason="as in the CRM")
        else:
            return
        # Microseconds: the same correction may be needed again tomorrow.
        key = f"{UNTOLD}as:{member.pk}:{now.timestamp():.6f}"
        books.post(entry, at=now, source="page", staff=staff, key=key)


def _tell_balance(source: CrmSource, difference: CrmDifference) -> None:
    member = difference.member
    if member is None:
        return
    now = timezone.now()
    visit = Visit(
        # The difference's own row: told twice it is the same event.
        event_id=f"b{source.program_id}-{difference.pk}",
        customer=difference.external_id,
        kind="other",
        shop="",
        at=now,
        balance=_balance(source, member),
    )
    (done,) = asyncio.run(_tell(source, visit))
    if done.outcome == "refused":
        raise CrmAnswerError(done.why)
    CrmRecord.objects.filter(program=source.program_id, external_id=difference.external_id).update(
        points=visit.balance
    )
    difference.delete()


def _balance(source: CrmSource, member: Member) -> int:
    account = Account.objects.filter(member=member, unit=source.unit, account="main").first()
    return account.balance if account is not None else 0


@transaction.atomic
def _make_anew(difference: CrmDifference) -> None:
    member = difference.member
    _unlink(difference)
    if member is not None:
        _wait_anew(member)


def _wait_anew(member: Member) -> None:
    CrmDelivery.objects.update_or_create(
        program_id=member.program_id,
        event_id=f"m{member.ref}",
        defaults={"member": member, "state": "waiting", "tries": 0, "next_at": None, "why": ""},
        create_defaults={"member": member, "at": timezone.now()},
    )


@transaction.atomic
def _keep_here(difference: CrmDifference) -> None:
    """Let the member be only here: what is still to be told of them has nobody to go to."""
    if difference.member_id is not None:
        CrmDelivery.objects.filter(member=difference.member_id).exclude(state="done").delete()
    _unlink(difference)


def _unlink(difference: CrmDifference) -> None:
    program, external_id = difference.program_id, difference.external_id
    for table in (CrmLink, CrmRecord, CrmDifference):
        table._default_manager.filter(program=program, external_id=external_id).delete()


def _unlinked(program: int) -> QuerySet[Member]:
    return Member.objects.filter(program=program, status=MemberStatus.ACTIVE, crm_link__isnull=True)
