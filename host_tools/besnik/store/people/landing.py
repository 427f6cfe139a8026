"""A card held to its member's own phone: the address that it shows opens the member's page.

The address proves the card (`besnik.credentials.sun`) and is good once: its counter has to be
above every one that was seen. So an address that somebody read in passing, or was sent, opens
nothing after the card was read again, and nothing twice.
"""

from __future__ import annotations

from typing import Literal

import msgspec
from django.db.models import Q

from besnik.credentials.assess import Assessor
from besnik.store.models import Card, CardState, Member, MemberStatus, Program

Refusal = Literal["nothing", "nobody", "blocked", "used"]


class Landed(msgspec.Struct, frozen=True):
    """Whose card it was, or why it opens nothing.

    ``nothing``: the address proves no card. ``nobody``: no member has it. ``blocked``: it was
    reported lost, or replaced. ``used``: this address was read before.
    """

    member: Member | None = None
    refusal: Refusal | None = None


def land(assessor: Assessor, address: str) -> Landed:
    """Return what ``address`` (after its first ``?``, as the card wrote it) opens."""
    shown = assessor.assess("sun", address)
    if shown.counter is None:
        return Landed(refusal="nothing")
    # By program, or no index would help.
    cards = Card.objects.filter(
        program__in=list(Program.objects.values_list("pk", flat=True)),
        kind=shown.ref.kind,
        data=shown.ref.data,
    ).select_related("member")
    # One card can be known to several programs of an installation: the newest member is asked for.
    card = cards.exclude(member__status=MemberStatus.ERASED).order_by("-pk").first()
    if card is None:
        return Landed(refusal="nobody")
    if card.state != CardState.ACTIVE:
        return Landed(refusal="blocked")
    older = Q(counter__isnull=True) | Q(counter__lt=shown.counter)
    # Compared and raised in one statement: the same address opens nothing a second time.
    if not Card.objects.filter(older, pk=card.pk).update(counter=shown.counter):
        return Landed(refusal="used")
    return Landed(member=card.member)
