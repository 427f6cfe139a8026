"""Cards that several customers of a CRM have: whose they are is for somebody to decide."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Mapping, Sequence
from typing import Final

from django.db.models import Exists, OuterRef

from besnik.store.models import (
    Card,
    CardState,
    CrmAnswer,
    CrmDifference,
    Posting,
    Reader,
    Tap,
)
from besnik.store.numbers import cards_of
from besnik.store.people import NewCard
from besnik.store.people.keyed import keyed

# A tap that waited for the CRM's word is older than the card it was given by it.
_WAITED_MAX: Final = dt.timedelta(days=2)


class Claims:
    """Who has which card there: customers of one page, and those with whom it is in dispute."""

    def __init__(self, program: int, cards: Mapping[str, Collection[NewCard]]) -> None:
        self._claims: dict[str, set[str]] = {}
        for customer, theirs in cards.items():
            for card in theirs:
                self._claims.setdefault(card.data, set()).add(customer)
        answers = CrmAnswer.objects.filter(
            program=program, card__in=self._claims, state="ambiguous"
        )
        before: dict[str, list[str]] = dict(answers.values_list("card", "ids"))
        self._before: set[str] = set()
        if not before:
            return
        # Who is not noted with it any more has given it up.
        noted = CrmDifference.objects.filter(
            program=program,
            kind="twice",
            external_id__in={id for ids in before.values() for id in ids},
        )
        cards_of = dict(noted.values_list("external_id", "cards"))
        for data, ids in before.items():
            if met := {id for id in ids if data in cards_of.get(id, ())}:
                # Whoever is of this page says themselves what they have.
                self._claims[data] |= met - cards.keys()
                self._before.add(data)

    def is_old(self, customer: str, cards: Sequence[NewCard]) -> bool:
        """Whether a customer was met before with a card that another one has as well."""
        return any(card.data in self._before and self.rivals(customer, [card]) for card in cards)

    def rivals(self, customer: str, cards: Sequence[NewCard]) -> set[str]:
        """Return the other customers who have one of the cards as well."""
        return {id for card in cards for id in self._claims.get(card.data, ())} - {customer}

    def contested(self, customer: str, cards: Sequence[NewCard]) -> dict[str, set[str]]:
        """Return those of a customer's cards that others have as well, with who has each."""
        found = {card.data: self.rivals(customer, [card]) for card in cards}
        return {card: rivals for card, rivals in found.items() if rivals}


def take_back(program: int, cards: Collection[str]) -> None:
    """Take cards from members who have them by the CRM's word alone: who never did anything here.

    The next tap of such a card asks the CRM. Who was enrolled with it here, or has been here, keeps
    theirs.
    """
    done = Posting.objects.filter(account__member=OuterRef("member")).exclude(entry__kind="open")
    unused = list(
        cards_of(program, cards).filter(
            ~Exists(done),
            state=CardState.ACTIVE,
            by_crm=True,
            member__crm_link__isnull=False,
        )
    )
    held = _held(program, unused) if unused else set()
    for card in unused:
        if card.pk in held:
            continue
        # As when a member is erased: a row that taps can name stays, and its number is free.
        name = keyed("disputed card", str(card.pk), card.data).hex().upper()
        Card.objects.filter(pk=card.pk).update(data=name, state=CardState.ERASED)


def _held(program: int, cards: Sequence[Card]) -> set[int]:
    """Return those of the cards that were held to a reader and accepted; also for nothing."""
    # No index has taps by their cards: those of readers, as far back as there can be any.
    since = min(card.created_at for card in cards) - _WAITED_MAX
    readers = Reader.objects.filter(shop__program=program).values("pk")
    taps = Tap.objects.filter(
        reader__in=readers, received_at__gte=since, card__in=cards, outcome="accepted"
    )
    return {card for card in taps.values_list("card", flat=True) if card is not None}
