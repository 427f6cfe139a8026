"""Cards of members: printed codes, and a new card in place of a lost one."""

from __future__ import annotations

from django.db import transaction

from besnik.store.models import Card, CardKind, CardState, Member, Tap
from besnik.store.people.codes import new_code
from besnik.store.people.enrolment import NewCard, add_card, card_of


class ReplaceError(ValueError):
    """A card that cannot be replaced; the text says what to do."""


def print_code(member: Member) -> Card:
    """Give ``member`` a card with a printed code, the fallback where nothing can be tapped."""
    return add_card(member, NewCard(CardKind.CODE, new_code()))


def replace_card(old: Card, new: Tap | NewCard) -> Card:
    """Put a new card in the place of ``old``, which no reader accepts from that moment.

    ``new`` is the tap of a card that nobody knows. The member and all accounts stay as they are:
    nothing is copied. ReplaceError if ``old`` was replaced already, EnrolError if ``new`` is
    somebody's card.
    """
    card = card_of(new) if isinstance(new, Tap) else new
    with transaction.atomic():
        held = Card.objects.select_for_update().select_related("member").get(pk=old.pk)
        if held.state in (CardState.REPLACED, CardState.ERASED):
            raise ReplaceError("This card was replaced before: replace the newest card instead.")
        made = add_card(held.member, card)
        held.state, held.replaced_by = CardState.REPLACED, made
        held.save(update_fields=["state", "replaced_by"])
    old.state, old.replaced_by = held.state, made
    return made
