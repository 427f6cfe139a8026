"""New members that a CRM is told of; those it knows by a card already are linked, not made."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from typing import Final

import msgspec
from django.db import IntegrityError

from besnik.crm import cache, moving, telling
from besnik.crm.foreign import Customer, Delivered, Found, NewCustomer
from besnik.crm.joining import join, language_of, matched
from besnik.crm.taking import note
from besnik.store.models import (
    NEWCOMER,
    Card,
    CardState,
    CrmDelivery,
    CrmLink,
    CrmSource,
    Member,
    MemberStatus,
    Person,
)
from besnik.store.people import leave_out, left_out
from besnik.store.writer import Writer

_writer: Final = Writer()
_ERASED: Final = (
    "the customer there with this card was erased here: take them in again, or take the card out"
    " of their record there, then send it again"
)

_TAKEN: Final = "another member is that customer there already"
_IN_DOUBT: Final = "who that customer is here has to be decided first: look at the differences"


class Newcomer(msgspec.Struct, frozen=True):
    """A member who is no customer there yet; ``row`` is theirs in CrmDelivery."""

    row: int
    member: int
    new: NewCustomer


class Newcomers(msgspec.Struct, frozen=True):
    """Members of one batch; ``again``: a call with some of them may have been carried out."""

    people: tuple[Newcomer, ...]
    again: bool

    @property
    def rows(self) -> list[int]:
        """Their rows in CrmDelivery."""
        return [each.row for each in self.people]

    @property
    def cards(self) -> list[str]:
        """All their cards."""
        return [card for each in self.people for card in each.new.cards]

    def without(self, rows: Sequence[int]) -> Newcomers:
        """Return the others."""
        return Newcomers(tuple(each for each in self.people if each.row not in rows), self.again)


def batch(source: int, most: int, now: dt.datetime, *, fresh: bool = False) -> Newcomers:
    """Take the next new members; none if nobody waits. Who left meanwhile is not told of.

    Only those who were never sent, if ``fresh``.
    """
    program = CrmSource.objects.values_list("program", flat=True).get(pk=source)
    waiting = telling.due(program, now).filter(NEWCOMER).select_related("member")
    rows = telling.rested(waiting, fresh=fresh)
    # Of some all are settled: then the next ones.
    while (first := rows.first()) is not None:
        like = rows.filter(maybe=first.maybe, tries=first.tries)
        taken = list(like[: telling.size(most, first.tries)])
        if people := tuple(_newcomers(taken)):
            return Newcomers(people, first.maybe)
    return Newcomers((), False)


def _newcomers(rows: Sequence[CrmDelivery]) -> Iterator[Newcomer]:
    """Yield those who have to be told of; the others are settled."""
    members = [row.member_id for row in rows]
    people = {person.member_id: person for person in Person.objects.filter(member__in=members)}
    active = Card.objects.filter(member__in=members, state=CardState.ACTIVE).order_by("pk")
    cards: dict[int, dict[str, None]] = {}
    for holder, data in active.values_list("member", "data"):
        cards.setdefault(holder, {})[data] = None
    linked = set(CrmLink.objects.filter(member__in=members).values_list("member", flat=True))
    for row in rows:
        member = row.member
        if member is None or member.status != MemberStatus.ACTIVE:
            telling.refuse([row.pk], "this member left")
        elif member.pk in linked:
            telling.done([row.pk])
        else:
            person = people.get(member.pk)
            new = NewCustomer(
                event_id=row.event_id,
                name=member.name,
                cards=tuple(cards.get(member.pk, ())),
                phone=person.phone if person else "",
                email=person.email if person else "",
            )
            yield Newcomer(row.pk, member.pk, new)


def take_known(
    source: CrmSource, asked: Newcomers, found: Mapping[str, Found], now: dt.datetime
) -> Newcomers:
    """Link those whose cards the CRM knows; return those who have to be made there.

    ``source`` is the CRM as it was when it was asked: CrmSettingsError if its customers may be
    others since.
    """
    customers = {hit.id: hit for hit in found.values() if isinstance(hit, Customer)}
    erased = left_out(source.program_id, customers.keys())
    settled: list[int] = []
    for each in asked.people:
        hits = [found[card] for card in each.new.cards if card in found]
        if not hits:
            continue
        settled.append(each.row)
        ids = {hit.id for hit in hits if isinstance(hit, Customer)}
        if not ids.isdisjoint(erased):
            telling.refuse([each.row], _ERASED)
        elif len(ids) == 1 and all(isinstance(hit, Customer) for hit in hits):
            _join(source, each, customers[ids.pop()], now)
        else:
            telling.refuse([each.row], "more than one customer there has this member's card")
    ours = [customer for id, customer in customers.items() if id not in erased]
    cache.keep(source.program_id, ours, now)
    return asked.without(settled)


def take_made(
    source: CrmSource, asked: Newcomers, results: Sequence[Delivered], now: dt.datetime
) -> None:
    """Write what became of members that the CRM was told of, in order; see `take_known`."""
    made = []
    for each, result in zip(asked.people, results, strict=True):
        if result.outcome == "refused":
            telling.refuse([each.row], result.why)
        else:
            _link(source, each, result.customer)
            made.append(Customer(result.customer, each.new.name, each.new.cards))
    cache.keep_linked(source.program_id, made, now)


def refuse_orphans(source: int) -> None:
    """Leave to the owner what members did who could not be made customers there."""
    program = _program(source)
    refused = CrmDelivery.objects.filter(NEWCOMER, program=program, state="refused")
    orphans = CrmDelivery.objects.filter(
        ~NEWCOMER,
        program=program,
        state="waiting",
        member__crm_link__isnull=True,
        member__in=refused.values("member"),
    )
    telling.refuse(
        list(orphans.values_list("pk", flat=True)), "this member could not be made a customer there"
    )


def _join(source: CrmSource, each: Newcomer, customer: Customer, now: dt.datetime) -> None:
    """Say that a member is the customer who has their card there, with what they have there."""
    if not _writer.write(partial(_joined, source, each, customer, now)):
        # The member's cards are none that a customer is found by.
        _link(source, each, customer.id)


def _joined(source: CrmSource, each: Newcomer, customer: Customer, now: dt.datetime) -> bool:
    """Do so within a transaction; False if nothing says that they are the same."""
    row = moving.locked(source)
    match = matched(row, customer, each.new.cards)
    is_other = match.member not in (None, each.member)
    if match.what == "linked" and not is_other:
        join(row, match, language_of(row.program_id), now)
        telling.done([each.row])
    elif match.what == "made" and not is_other:
        return False
    elif CrmLink.objects.filter(member=each.member).exists():
        telling.done([each.row])
    else:
        note(row, [match], now)
        telling.refuse([each.row], _TAKEN if match.what == "known" else _IN_DOUBT)
    return True


def _link(source: CrmSource, each: Newcomer, customer: str) -> None:
    """Say that a member is that customer there, unless another member is.

    One who was erased while the CRM made a customer of them is not made a member by it.
    """
    try:
        _writer.write(partial(_linked, source, each, customer))
    except IntegrityError:
        if CrmLink.objects.filter(member=each.member).exists():
            telling.done([each.row])
        else:
            telling.refuse([each.row], _TAKEN)


def _linked(source: CrmSource, each: Newcomer, customer: str) -> None:
    moving.locked(source)
    member = Member.objects.select_for_update(no_key=True).get(pk=each.member)
    if member.status == MemberStatus.ERASED:
        leave_out(member.program_id, customer)
        return
    CrmLink.objects.create(
        program_id=source.program_id, member_id=each.member, external_id=customer
    )
    telling.done([each.row])


def _program(source: int) -> int:
    return CrmSource.objects.values_list("program", flat=True).get(pk=source)
