"""The list of members: found by anything, or one after the other by tier and activity."""

from __future__ import annotations

import datetime as dt
from typing import Any, Final

from django import forms
from django.db.models import Max, QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_GET

from besnik.loyalty.program import Program
from besnik.site.access import need, staff_of
from besnik.site.views.owner.common import in_force, page
from besnik.store.models import Member, MemberStatus, Role, Sale
from besnik.store.models import Program as ProgramRow
from besnik.store.people import find, shown_phone

A_PAGE: Final = 50
ACTIVE_DAYS: Final = 90


class FilterForm(forms.Form):
    """Whom to show."""

    text = forms.CharField(
        required=False,
        max_length=200,
        label=_("Name, phone or card"),
        widget=forms.TextInput(attrs={"type": "search", "dir": "auto", "autocomplete": "off"}),
    )
    activity = forms.ChoiceField(
        required=False,
        label=_("Who"),
        choices=(
            ("", _("all")),
            ("active", _("bought in the last 90 days")),
            ("lapsed", _("bought, but not for 90 days")),
            ("new", _("never bought")),
            ("closed", _("has left")),
        ),
    )
    tier = forms.TypedChoiceField(required=False, label=_("Tier"), coerce=int, empty_value=None)
    after = forms.IntegerField(required=False, widget=forms.HiddenInput)

    def __init__(self, program: Program, data: Any) -> None:
        super().__init__(data)
        field = self.fields["tier"]
        assert isinstance(field, forms.ChoiceField)
        if program.tiers is None:
            del self.fields["tier"]
        else:
            tiers = enumerate(program.tiers.tiers)
            field.choices = [("", _("all")), *((place, tier.name) for place, tier in tiers)]


@need(Role.MANAGER, auditor=True)
@require_GET
def show(request: HttpRequest) -> HttpResponse:
    """Show members: those a text finds, or a page of those the filters let through."""
    staff, program = staff_of(request), in_force(request)
    form = FilterForm(program, request.GET)
    given: dict[str, Any] = form.cleaned_data if form.is_valid() else {}
    text = given.get("text", "")
    more: int | None = None
    if text:
        row = ProgramRow.objects.get(pk=program.id)
        refs = [found.ref for found in find(row, text, staff.role)]
        by_ref = {member.ref: member for member in _with_details(program.id, ref__in=refs)}
        members = [by_ref[ref] for ref in refs if ref in by_ref]
    else:
        found = _filtered(program, given)
        if given.get("after"):
            found = found.filter(pk__lt=given["after"])
        members = list(found.order_by("-pk")[: A_PAGE + 1])
        if len(members) > A_PAGE:
            members = members[:A_PAGE]
            more = members[-1].pk
    query = request.GET.copy()
    query["after"] = str(more or "")
    return page(
        request,
        "members.html",
        form=form,
        members=_lines(members, staff.role, program),
        more=query.urlencode() if more else "",
        text=text,
        tiers=program.tiers is not None,
    )


def _with_details(program: int, **filters: Any) -> QuerySet[Member]:
    return (
        Member.objects.filter(program=program, **filters)
        .exclude(status=MemberStatus.ERASED)
        .select_related("person", "tier")
    )


def _filtered(program: Program, given: dict[str, Any]) -> QuerySet[Member]:
    members = _with_details(program.id)
    if given.get("tier") is not None:
        if given["tier"]:
            members = members.filter(tier__level=given["tier"])
        else:
            members = members.exclude(tier__level__gt=0)
    activity = given.get("activity", "")
    if activity == "closed":
        return members.filter(status=MemberStatus.CLOSED)
    if not activity:
        return members
    sales = Sale.objects.filter(program=program.id, member__isnull=False)
    recent = sales.filter(at__gte=timezone.now() - dt.timedelta(days=ACTIVE_DAYS))
    if activity == "active":
        return members.filter(pk__in=recent.values("member"))
    if activity == "new":
        return members.exclude(pk__in=sales.values("member"))
    return members.filter(pk__in=sales.values("member")).exclude(pk__in=recent.values("member"))


def _lines(members: list[Member], role: str, program: Program) -> list[dict[str, Any]]:
    sales = Sale.objects.filter(member__in=members).values("member")
    last = {row["member"]: row["last"] for row in sales.annotate(last=Max("at"))}
    tiers = program.tiers.tiers if program.tiers else ()

    def line(member: Member) -> dict[str, Any]:
        person, held = getattr(member, "person", None), getattr(member, "tier", None)
        level = min(held.level if held else 0, len(tiers) - 1)
        return {
            "member": member,
            "phone": shown_phone(person.phone, role) if person and person.phone else "",
            "tier": tiers[level].name if tiers else "",
            "last": last.get(member.pk),
        }

    return [line(member) for member in members]
