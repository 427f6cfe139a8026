"""A till by its address, and what the templates of its screen need."""

from __future__ import annotations

from typing import Any, NamedTuple

from django.shortcuts import get_object_or_404
from django.urls import reverse

from besnik.site.access import tills_of
from besnik.site.board import Gap, board
from besnik.site.forms import EnrolForm
from besnik.store.models import Staff, Till


class Source(NamedTuple):
    """The tap whose card is to be enrolled: its row, the card's upper-case hex, what was found."""

    id: int
    uid: str
    finding: str


def get_till(staff: Staff, shop: str, till: str) -> Till:
    """Return the till by its shop's slug and its own; 404 unless ``staff`` works in that shop."""
    own = tills_of(staff).select_related("shop__program")
    return get_object_or_404(own, shop__slug=shop, slug=till)


def till_context(till: Till, csrf_token: str, *, gap: Gap | None = None) -> dict[str, Any]:
    """Return what the templates of a till's screen need; ``gap`` is that of `board`."""
    shown = board(till, gap=gap)
    tap = shown.tap if shown.view == "new" else None
    return {
        "till": till,
        "board": shown,
        "source": Source(tap.id, shown.uid, tap.finding) if tap else None,
        "form": EnrolForm(),
        "stream": reverse("cashier-events", args=[till.shop.slug, till.slug]),
        "csrf_token": csrf_token,
    }
