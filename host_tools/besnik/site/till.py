"""A till by its address."""

from __future__ import annotations

from django.shortcuts import get_object_or_404

from besnik.site.access import tills_of
from besnik.store.models import Staff, Till


def get_till(staff: Staff, shop: str, till: str) -> Till:
    """Return the till by its shop's slug and its own; 404 unless ``staff`` works in that shop."""
    own = tills_of(staff).select_related("shop__program")
    return get_object_or_404(own, shop__slug=shop, slug=till)
