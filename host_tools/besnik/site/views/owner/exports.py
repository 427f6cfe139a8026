"""Sheets of everything: members, sales, entries of the ledger."""

from __future__ import annotations

from typing import Any

from django import forms
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_GET

from besnik.loyalty.metrics import Window
from besnik.loyalty.periods import plus_months
from besnik.loyalty.program import Program
from besnik.site.access import need, shops, staff_of
from besnik.site.owner.fields import DayField
from besnik.site.owner.sheets import sheet
from besnik.site.views.owner.common import in_force, note, page
from besnik.store import exports
from besnik.store.models import Role


class SpanForm(forms.Form):
    """Over which days."""

    first = DayField(required=False, label=_("From"))
    last = DayField(required=False, label=_("to"))


@need(Role.MANAGER, auditor=True)
@require_GET
def show(request: HttpRequest) -> HttpResponse:
    """Show what can be saved."""
    program = in_force(request)
    window = _usual(program)
    form = SpanForm(initial={"first": window.first, "last": window.last})
    return page(request, "exports.html", form=form, zone=program.zone)


@need(Role.OWNER)
@require_GET
def members(request: HttpRequest) -> StreamingHttpResponse:
    """Send the members, with who they are: for owners only."""
    staff = staff_of(request)
    note(staff, "export.members", f"program:{staff.program_id}")
    rows = exports.members(staff.program_id, staff.role)
    return sheet("members.csv", exports.MEMBERS, rows)


@need(Role.MANAGER, auditor=True)
@require_GET
def sales(request: HttpRequest) -> HttpResponse | StreamingHttpResponse:
    """Send the receipts; members are numbers there."""
    return _send(
        request,
        "sales",
        exports.SALES,
        lambda program, window: exports.sales(program, window, shops(request)),
    )


@need(Role.OWNER, auditor=True)
@require_GET
def entries(request: HttpRequest) -> HttpResponse | StreamingHttpResponse:
    """Send the postings of the ledger; members are numbers there."""
    return _send(request, "entries", exports.ENTRIES, exports.entries)


def _send(
    request: HttpRequest, name: str, header: Any, rows: Any
) -> HttpResponse | StreamingHttpResponse:
    staff, program = staff_of(request), in_force(request)
    form = SpanForm(request.GET)
    if not form.is_valid():
        return page(request, "exports.html", status=422, form=form, zone=program.zone)
    usual = _usual(program)
    first = form.cleaned_data["first"] or usual.first
    window = Window(first, form.cleaned_data["last"] or usual.last, program.zone)
    note(staff, f"export.{name}", f"program:{program.id}")
    return sheet(f"{name}.csv", header, rows(program.id, window))


def _usual(program: Program) -> Window:
    """Return the last three years and today."""
    today = program.today(timezone.now())
    return Window(plus_months(today, -36), today, program.zone)
