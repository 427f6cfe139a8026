"""Finding a member at the till by name, phone, card number or what a scanner read."""

from __future__ import annotations

from typing import NamedTuple

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET

from besnik.site.access import need
from besnik.site.cashier import answers
from besnik.site.cashier.serving import by_phone, serving
from besnik.store import people
from besnik.store.models import Role, Staff

MOST = 12


class Match(NamedTuple):
    """A member who may be meant; ``by`` says how they were found, for the forms."""

    ref: str
    name: str
    phone: str
    cards: tuple[str, ...]
    by: str


@need(Role.CASHIER, auditor=True)
@require_GET
def find(request: HttpRequest, shop: str, till: str) -> HttpResponse:
    """List who is found by ``q``; a phone is masked for everybody at the till."""
    served = serving(request, shop, till)
    asked = request.GET.get("q", "")[:200].strip()
    found = []
    if asked:
        program = served.till.shop.program
        matches = people.find(program, asked, Role.CASHIER, most=MOST)
        found = [_match(served.staff, one) for one in matches]
    context = {"till": served.till, "found": found, "asked": asked}
    if answers.is_scripted(request):
        return render(request, "site/_found.html", context)
    return answers.page_with(request, served, context)


def _match(staff: Staff, one: people.Found) -> Match:
    by = by_phone(staff, one.ref) if one.by == "phone" else ""
    return Match(one.ref, one.name, one.phone, one.cards, by)
