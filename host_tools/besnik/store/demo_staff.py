"""Seeds the people who work in the demo shop. None has a password: only the demo lets them in."""

from __future__ import annotations

from besnik import demo
from besnik.store.models import Shop, Staff


def seed() -> None:
    """Add who is missing of the demo's staff, one of each role."""
    program = Shop.objects.get(slug=demo.SHOP).program
    for person in demo.STAFF:
        if not Staff.objects.filter(username=person.username).exists():
            Staff.objects.create_user(
                person.username, None, program=program, name=person.name, role=person.role
            )
