"""Who customers of a CRM may be here, locked until that is written.

Whoever is being erased, or leaves, at this moment is waited for: what is read after it is so still
when it is written.
"""

from __future__ import annotations

from collections.abc import Iterable

from django.db import connection
from django.db.models import Q

from besnik.crm.foreign import Customer
from besnik.crm.matching import card_from
from besnik.store.models import Member


def hold(program: int, customers: Iterable[Customer]) -> None:
    """Lock the members who have one of these customers' cards, or are one of them by their link.

    Within a transaction, before anything is read of them.
    """
    if not connection.features.has_select_for_update:
        return  # on SQLite a transaction that writes after somebody else has is done again
    customers = list(customers)
    cards = {card.data for each in customers for text in each.cards if (card := card_from(text))}
    holders = Member.objects.filter(
        pk__in=Member.objects.filter(
            Q(cards__data__in=cards) | Q(crm_link__external_id__in=[each.id for each in customers]),
            program=program,
        ).values("pk")
    )
    list(holders.order_by("pk").select_for_update(no_key=True).values_list("pk", flat=True))
