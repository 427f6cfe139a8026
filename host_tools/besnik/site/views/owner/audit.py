"""The audit log: who did what, whether it is whole, and as a sheet."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Iterator
from typing import Any, Final
from zoneinfo import ZoneInfo

from django import forms
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_GET

from besnik.site.access import need, staff_of
from besnik.site.owner.actions import action_name
from besnik.site.owner.fields import DayField
from besnik.site.owner.sheets import sheet
from besnik.site.views.owner.common import in_force, note, page
from besnik.store import audit
from besnik.store.models import AuditRecord, Role, Staff

SHOWN: Final = 100
# So many of the newest records are checked each time; all of them when somebody asks.
CHECKED: Final = 1000
COLUMNS: Final = ("record", "at", "who", "action", "target", "detail", "previous", "hash")
_CHUNK: Final = 500


class FilterForm(forms.Form):
    """Which records."""

    who = forms.ChoiceField(required=False, label=_("Who"))
    action = forms.ChoiceField(required=False, label=_("What"))
    first = DayField(required=False, label=_("From"))
    last = DayField(required=False, label=_("to"))

    def __init__(self, program: int, *arguments: Any) -> None:
        super().__init__(*arguments)
        people = Staff.objects.filter(program=program).order_by("name")
        actions = (
            AuditRecord.objects.filter(program=program)
            .order_by("action")
            .values_list("action", flat=True)
            .distinct()
        )
        every = [("", _("all"))]
        self._choose("who", [*every, *((str(one.pk), one.name) for one in people)])
        self._choose("action", [*every, *((word, action_name(word)) for word in actions)])

    def _choose(self, field: str, choices: list[Any]) -> None:
        self.fields[field].choices = choices  # type: ignore[attr-defined]  # the form has choice fields alone


@need(Role.MANAGER, auditor=True)
@require_GET
def show(request: HttpRequest) -> HttpResponse:
    """Show the newest records, or those before ``?before=``, and the state of the chain."""
    staff = staff_of(request)
    form = FilterForm(staff.program_id, request.GET)
    rows = _records(request, form)
    before = request.GET.get("before", "")
    if before.isascii() and before.isdigit() and len(before) < 19:
        rows = rows.filter(pk__lt=int(before))
    shown = list(rows[: SHOWN + 1])
    query = request.GET.copy()
    if len(shown) > SHOWN:
        query["before"] = str(shown[SHOWN - 1].pk)
    is_whole = "whole" in request.GET
    return page(
        request,
        "audit.html",
        status=200 if form.is_valid() else 422,
        form=form,
        records=[(row, action_name(row.action), _detail(row)) for row in shown[:SHOWN]],
        more=query.urlencode() if len(shown) > SHOWN else "",
        query=request.GET.urlencode(),
        chain=audit.verify(newest=None if is_whole else CHECKED),
        is_whole=is_whole,
    )


@need(Role.MANAGER, auditor=True)
@require_GET
def export(request: HttpRequest) -> HttpResponse | StreamingHttpResponse:
    """Send the records as a sheet, oldest first, by which anybody can compute the chain anew."""
    staff = staff_of(request)
    form = FilterForm(staff.program_id, request.GET)
    rows = _records(request, form).order_by("pk")
    if not form.is_valid():
        return redirect("audit")
    note(staff, "export.audit", f"program:{staff.program_id}")
    return sheet("audit.csv", COLUMNS, _rows(rows))


def _records(request: HttpRequest, form: FilterForm) -> QuerySet[AuditRecord]:
    rows = AuditRecord.objects.filter(program=staff_of(request).program_id)
    rows = rows.select_related("staff").order_by("-pk")
    if not form.is_valid():
        return rows.none()
    given, zone = form.cleaned_data, ZoneInfo(in_force(request).zone)
    if given["who"]:
        rows = rows.filter(staff=int(given["who"]))
    if given["action"]:
        rows = rows.filter(action=given["action"])
    if given["first"]:
        rows = rows.filter(at__gte=dt.datetime.combine(given["first"], dt.time.min, zone))
    if given["last"]:
        rows = rows.filter(at__lte=dt.datetime.combine(given["last"], dt.time.max, zone))
    return rows


def _detail(row: AuditRecord) -> str:
    return ", ".join(
        f"{key} {json.dumps(value, ensure_ascii=False).strip(chr(34))}"
        for key, value in sorted(row.detail.items())
    )


def _rows(rows: QuerySet[AuditRecord]) -> Iterator[list[tuple[Any, ...]]]:
    last = 0
    while group := list(rows.filter(pk__gt=last)[:_CHUNK]):
        last = group[-1].pk
        yield [
            (
                row.pk,
                row.at.isoformat(timespec="microseconds"),
                row.staff.username if row.staff else "",
                row.action,
                row.target,
                json.dumps(row.detail, sort_keys=True, separators=(",", ":"), ensure_ascii=False),
                row.previous,
                row.hash,
            )
            for row in group
        ]
