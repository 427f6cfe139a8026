"""What the owner's pages have in common."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone

from besnik.loyalty.program import Program
from besnik.site.access import at_least, shops, staff_of
from besnik.store import audit, drafts, programs
from besnik.store.models import Alert, Role, Staff


def page(request: HttpRequest, template: str, status: int = 200, **context: Any) -> HttpResponse:
    """Return a page with what every owner's page shows: its place, and how many alerts wait."""
    staff = staff_of(request)
    context |= {
        "alerts_waiting": Alert.objects.filter(
            program=staff.program_id, seen_at__isnull=True
        ).count(),
        "is_owner": staff.role == Role.OWNER,
        "may_change": at_least(staff, Role.MANAGER),
    }
    return render(request, f"site/owner/{template}", context, status=status)


def in_force(request: HttpRequest) -> Program:
    """Return what the program of the asking person gives."""
    return programs.current(staff_of(request).program_id)


def draft_of(request: HttpRequest) -> drafts.Draft:
    """Return the draft of the asking person's program."""
    return drafts.open_draft(staff_of(request).program_id)


def keep(request: HttpRequest, program: Program) -> None:
    """Keep the changed draft."""
    drafts.save(program, staff_of(request), timezone.now())


def shop_choices(request: HttpRequest) -> list[tuple[str, str]]:
    """Return the shops of the asking person as rules name them."""
    return [(shop.slug, shop.name) for shop in shops(request).order_by("name")]


def wants_part(request: HttpRequest) -> bool:
    """Tell whether a script asks for a part of the page and not for all of it."""
    return request.headers.get("X-Requested-With") == "fetch"


def note(staff: Staff, action: str, target: str, **detail: Any) -> None:
    """Put on the record who did what."""
    audit.record(staff, action, target, **detail)
