"""Who a customer of a CRM is here: a member already, one by a card, nobody yet, or in doubt.

Read for a whole page at once, so that a page costs the same few queries however long it is.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Literal

import msgspec
from django.db.models import Q

from besnik.credentials.assess import CredentialError, assess, card_ref
from besnik.crm import balances
from besnik.crm.foreign import Customer
from besnik.crm.rivals import Claims
from besnik.store.models import (
    CardKind,
    CrmLink,
    CrmSource,
    Member,
    MemberStatus,
)
from besnik.store.numbers import cards_of
from besnik.store.people import (
    NAME_MAX,
    EnrolError,
    NewCard,
    clean_name,
    fold,
    left_out,
    read_code,
)

What = Literal["known", "linked", "made", "skipped", "left_out"]
Kind = Literal[
    "name",
    "points",
    "card_of_other",
    "two_members",
    "twice",
    "unnamed",
    "bad_card",
    "left",
    "gone",
]


class Difference(msgspec.Struct, frozen=True):
    """What does not agree; ``there`` and ``here`` are what each side says, as text."""

    kind: Kind
    there: str = ""
    here: str = ""
    member: int | None = None


class Match(msgspec.Struct, frozen=True):
    """What becomes of a customer: ``member`` is who they are here, None for a new one.

    ``name`` is theirs as it is kept here; ``cards`` are those that nobody has yet. What they have
    there of points comes to what they have here if it ``opens``. One who is left out was erased
    here, and is nobody. ``contested`` are those of their cards that other customers have too, and
    who: nobody is given such a card, and it is taken back from who has never used it.
    """

    customer: Customer
    what: What
    member: int | None = None
    name: str = ""
    cards: tuple[NewCard, ...] = ()
    differences: tuple[Difference, ...] = ()
    opens: bool = False
    contested: Mapping[str, Collection[str]] = {}


class Here:
    """What is here of one page of customers."""

    def __init__(self, source: CrmSource, customers: Sequence[Customer]) -> None:
        self._source = source
        self._customers = customers
        self._ids = [customer.id for customer in customers]
        self._cards = {
            customer.id: [(text, card_from(text)) for text in customer.cards]
            for customer in customers
        }
        every = {card.data for cards in self._cards.values() for _, card in cards if card}
        program = source.program_id
        self._holder: dict[str, Member] = {
            card.data: card.member for card in cards_of(program, every).select_related("member")
        }
        members = [member.pk for member in self._holder.values()]
        links = CrmLink.objects.filter(program=program).filter(
            Q(external_id__in=self._ids) | Q(member__in=members)
        )
        self._linked: dict[str, Member] = {}
        self._link_of: dict[int, str] = {}
        for link in links.select_related("member"):
            self._linked[link.external_id] = link.member
            self._link_of[link.member_id] = link.external_id
        involved = {member.pk for member in (*self._holder.values(), *self._linked.values())}
        known = {member for member in involved if member in self._link_of}
        self._balance = balances.balances(source, involved)
        # Of these the CRM does not know yet what it is to know.
        self._silent = balances.underway(source, known) - balances.disputed(program, known)
        self._untold = balances.untold(source, involved - known)
        self._left_out = left_out(program, self._ids)
        self._taken: set[str] = set()
        claimed = {
            id: [card for _, card in cards if card]
            for id, cards in self._cards.items()
            if id not in self._left_out
        }
        self._claims = Claims(program, claimed)

    def matches(self) -> list[Match]:
        """Return what becomes of each customer of the page, in order; asked once."""
        return [self.match(customer) for customer in self._customers]

    def match(self, customer: Customer) -> Match:
        """Return what becomes of one customer of the page; asked once for each, in order."""
        if customer.id in self._left_out:
            return Match(customer, "left_out")
        # One card in two spellings is one.
        good = list({card.data: card for _, card in self._cards[customer.id] if card}.values())
        odd = [text for text, card in self._cards[customer.id] if card is None]
        differences = [Difference("bad_card", there=", ".join(odd)[:200])] if odd else []
        member = self._linked.get(customer.id)
        rivals = self._claims.rivals(customer.id, good)
        if rivals:
            differences.append(
                Difference("twice", customer.name, "", member.pk if member else None)
            )
        is_later = any(card.data in self._taken for card in good)
        self._taken |= {card.data for card in good}
        if member is not None:
            return self._known("known", customer, member, good, differences)
        holders = {holder.pk: holder for card in good if (holder := self._holder.get(card.data))}
        if is_later or self._claims.is_old(customer.id, good) or (rivals and holders):
            first = next(iter(holders.values()), None)
            here = ("", None) if first is None else (first.name, first.pk)
            return self._skipped(customer, Difference("twice", customer.name, *here), good)
        if len(holders) > 1:
            names = ", ".join(holder.name for holder in holders.values())
            return self._skipped(customer, Difference("two_members", customer.name, names[:200]))
        for holder in holders.values():
            if holder.pk in self._link_of:
                return self._skipped(
                    customer, Difference("twice", customer.name, holder.name, holder.pk), good
                )
            if holder.status != MemberStatus.ACTIVE:
                return self._skipped(
                    customer, Difference("left", customer.name, holder.name, holder.pk)
                )
            self._link_of[holder.pk] = customer.id
            return self._known("linked", customer, holder, good, differences)
        try:
            name = clean_name(customer.name[:NAME_MAX])
        except EnrolError:
            name = customer.id[:NAME_MAX]
            differences.append(Difference("unnamed", customer.name))
        return Match(
            customer,
            "made",
            None,
            name,
            self._free(customer, good),
            tuple(differences),
            bool(self._source.unit) and (customer.points or 0) > 0,
            self._claims.contested(customer.id, good),
        )

    def _free(self, customer: Customer, cards: Sequence[NewCard]) -> tuple[NewCard, ...]:
        return tuple(
            card
            for card in cards
            if card.data not in self._holder and not self._claims.rivals(customer.id, [card])
        )

    def _skipped(
        self, customer: Customer, difference: Difference, cards: Sequence[NewCard] = ()
    ) -> Match:
        """Return one who is nobody until somebody decides; with ``cards`` others have theirs."""
        contested = self._claims.contested(customer.id, cards)
        for card in cards:
            holder = self._holder.get(card.data)
            if holder is not None and (owner := self._link_of.get(holder.pk)) is not None:
                contested.setdefault(card.data, set()).add(owner)
        return Match(
            customer,
            "skipped",
            difference.member,
            differences=(difference,),
            contested=contested,
        )

    def _known(
        self,
        what: What,
        customer: Customer,
        member: Member,
        good: Sequence[NewCard],
        differences: list[Difference],
    ) -> Match:
        if member.status != MemberStatus.ACTIVE:
            return Match(customer, what, member.pk, member.name)
        if customer.name.strip() and fold(customer.name) != fold(member.name):
            differences.append(Difference("name", customer.name, member.name, member.pk))
        others = [
            holder
            for card in good
            if (holder := self._holder.get(card.data)) and holder.pk != member.pk
        ]
        if others:
            differences.append(
                Difference("card_of_other", customer.name, others[0].name, member.pk)
            )
        balance, points = self._balance.get(member.pk), customer.points
        is_untold = member.pk in self._untold
        is_compared = points is not None and not is_untold and member.pk not in self._silent
        if is_compared and balance is not None and points != balance:
            differences.append(Difference("points", str(points), str(balance), member.pk))
        return Match(
            customer,
            what,
            member.pk,
            member.name,
            self._free(customer, good),
            tuple(differences),
            is_untold and balance is not None and (points or 0) > 0,
            self._claims.contested(customer.id, good),
        )


def card_from(data: str) -> NewCard | None:
    """Return a card by what a CRM has of it, None for what is no card's."""
    text = "".join(data.split()).replace(":", "").replace("-", "").upper()
    try:
        if assess(CardKind.UID, text).tier != "X":
            ref = card_ref(CardKind.UID, text)
            return NewCard(ref.kind, ref.data)
    except CredentialError:
        pass
    code = read_code(data)
    return NewCard(CardKind.CODE, code) if code else None
