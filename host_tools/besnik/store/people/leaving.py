"""Leaving a program, coming back, and being forgotten."""

from __future__ import annotations

import datetime as dt
from typing import Final

from django.db.models import F, Q

from besnik.loyalty import operations
from besnik.store import books, programs
from besnik.store.models import (
    Card,
    CardState,
    Comment,
    Consent,
    CrmDelivery,
    CrmDifference,
    CrmLink,
    CrmRecord,
    CrmRun,
    Gift,
    ImportRun,
    Member,
    MemberStatus,
    Note,
    Person,
    Request,
    Staff,
    Tap,
)
from besnik.store.people.keyed import keyed
from besnik.store.people.left_out import leave_out

_FORGOTTEN: Final = '{"erased":true}'
_AT_ONCE: Final = 500


class LeaveError(ValueError):
    """A member who cannot leave like this yet; ``code`` says why, the text what to do."""

    def __init__(self, code: str, text: str) -> None:
        super().__init__(text)
        self.code = code


def close(
    member: Member,
    at: dt.datetime,
    *,
    lapse: bool = False,
    staff: Staff | None = None,
    source: str = "page",
) -> None:
    """Let ``member`` leave: no card of theirs earns any more, and nothing is written to them.

    What they have stays until it runs out; with ``lapse`` it is given up now, all but stored
    money, which was paid for. `reopen` brings a member back who did not ask to be erased.
    """
    with books.writing(member.program_id, [member.pk]) as ledger:
        _must_be(member, MemberStatus.ACTIVE)
        if lapse:
            _lapse(ledger, member, at, staff, source)
        Member.objects.filter(pk=member.pk).update(status=MemberStatus.CLOSED)
    member.status = MemberStatus.CLOSED


def reopen(member: Member) -> None:
    """Take back a member who left; cards, balances and history are as they were."""
    with books.writing(member.program_id, [member.pk]):
        _must_be(member, MemberStatus.CLOSED)
        Member.objects.filter(pk=member.pk).update(status=MemberStatus.ACTIVE)
    member.status = MemberStatus.ACTIVE


def erase(
    member: Member,
    at: dt.datetime,
    *,
    lapse: bool = False,
    forfeit_money: bool = False,
    staff: Staff | None = None,
    source: str = "page",
) -> None:
    """Forget who ``member`` is. What was earned and spent stays, and is nobody's.

    Name, phone, answers, notes and words are deleted, cards and their taps get a digest instead of
    a number; a card can then be enrolled anew. Who is a customer of the shop's other CRM does not
    become a member again by what that says. All sums of the ledger stay as they are, but for
    what ``lapse`` gives up. LeaveError while there is money on the card, unless it is forfeited:
    pay it out first.
    """
    program = programs.current(member.program_id)
    numbers = list(member.cards.exclude(state=CardState.ERASED).values_list("kind", "data"))
    # Taps have no index by number: look for them before anybody has to wait for the lock.
    taps = _taps_of(member, numbers)
    with books.writing(member.program_id, [member.pk]) as ledger:
        _must_be(member, MemberStatus.ACTIVE, MemberStatus.CLOSED)
        money = sum(lot.main + lot.held for lot in ledger.lots(member.pk, program.currency.code))
        if money > 0 and not forfeit_money:
            raise LeaveError("money", "There is money on the card: pay it out first.")
        if lapse:
            _lapse(ledger, member, at, staff, source)
        _forget_words(member)
        _forget_cards(member, taps)
        Request.objects.filter(answer__contains=f'"{member.ref}"').update(answer=_FORGOTTEN)
        Member.objects.filter(pk=member.pk).update(
            name="", status=MemberStatus.ERASED, link_version=F("link_version") + 1
        )
    member.name, member.status = "", MemberStatus.ERASED


def _lapse(
    ledger: books.Books, member: Member, at: dt.datetime, staff: Staff | None, source: str
) -> None:
    currency = programs.current(member.program_id).currency.code
    for unit, lots in ledger.wallet(member.pk).items():
        if unit == currency:
            continue
        entry = operations.expire(member.program_id, lots, at, everything=True)
        if entry is not None:
            ledger.post(entry, at=at, source=source, staff=staff)


def _must_be(member: Member, *states: MemberStatus) -> None:
    """Raise LeaveError unless the member (locked) is in one of ``states``."""
    now = Member.objects.values_list("status", flat=True).get(pk=member.pk)
    if now not in states:
        raise LeaveError(now, f"This member is {now} already.")


def _forget_words(member: Member) -> None:
    _forget_import(member)
    Person.objects.filter(member=member).delete()
    for table in (Consent, Comment, Note, Gift):
        table.objects.filter(member=member).delete()
    links = CrmLink.objects.filter(member=member)
    CrmDifference.objects.filter(
        Q(member=member) | Q(external_id__in=links.values("external_id")),
        program_id=member.program_id,
    ).delete()
    CrmDelivery.objects.filter(member=member).exclude(state="done").delete()
    # What another system keeps of its customer is that system's to erase: until it does, they
    # would become a member again.
    for customer in links.values_list("external_id", flat=True):
        leave_out(member.program_id, customer)
    CrmRecord.objects.filter(
        program_id=member.program_id, external_id__in=links.values("external_id")
    ).delete()
    links.delete()


def _forget_import(member: Member) -> None:
    """Take what was said of the member out of the lists of imports."""
    person = Person.objects.filter(member=member).first()
    known = {member.name.casefold()}
    if person is not None:
        known |= {person.phone.casefold(), person.email.casefold()}
    links = CrmLink.objects.filter(member=member)
    known |= {customer.casefold() for customer in links.values_list("external_id", flat=True)}
    known.discard("")
    for run in ImportRun.objects.filter(program_id=member.program_id).exclude(problems=[]):
        kept = [problem for problem in run.problems if problem[3].casefold() not in known]
        if len(kept) < len(run.problems):
            ImportRun.objects.filter(pk=run.pk).update(problems=kept)
    for walk in CrmRun.objects.filter(program_id=member.program_id).exclude(examples=[]):
        left = [one for one in walk.examples if known.isdisjoint(map(str.casefold, one))]
        if len(left) < len(walk.examples):
            CrmRun.objects.filter(pk=walk.pk).update(examples=left)


def _taps_of(member: Member, numbers: list[tuple[str, str]]) -> list[int]:
    """Return the taps that hold a number of the member's cards, whoever's they were then."""
    shown = Q(member=member)
    for kind, data in numbers:
        shown |= Q(kind=kind, data=data)
    found = Tap.objects.filter(shown, reader__shop__program=member.program_id)
    return list(found.values_list("pk", flat=True))


def _forget_cards(member: Member, taps: list[int]) -> None:
    for card in member.cards.exclude(state=CardState.ERASED):
        # With the row's own number: the card may be enrolled again, and its owner leave again.
        name = keyed("erased card", str(card.pk), card.data).hex().upper()
        for start in range(0, len(taps), _AT_ONCE):
            some = Tap.objects.filter(pk__in=taps[start : start + _AT_ONCE])
            some.filter(kind=card.kind, data=card.data).update(data=name)
        newest = Tap.objects.filter(pk__gt=max(taps, default=0), kind=card.kind, data=card.data)
        newest.update(data=name)
        Card.objects.filter(pk=card.pk).update(data=name, state=CardState.ERASED)
