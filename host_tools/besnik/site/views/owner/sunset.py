"""The end of a program: announced, with notice, until nothing is outstanding."""

from __future__ import annotations

from typing import Any

import msgspec
from django import forms
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_GET, require_POST

from besnik.loyalty.membership import Sunset
from besnik.loyalty.program import Program
from besnik.site.access import need, staff_of
from besnik.site.owner.fields import DayField, WholeField
from besnik.site.views.owner.common import in_force, note, page
from besnik.store import drafts, programs
from besnik.store.measures.points import outstanding, owed
from besnik.store.models import Account, Role


class EndForm(forms.Form):
    """From which day nothing is earned, and how long what members have stays good."""

    announced = DayField(label=_("Nothing is earned from this day on"))
    notice_days = WholeField(
        1, 3_650, label=_("Days of notice"), help_text=_("That day is the first."), initial=90
    )
    sure = forms.BooleanField(label=_("I have told the members, or will before that day"))

    def __init__(self, today: Any, data: Any = None) -> None:
        super().__init__(data, initial={"announced": today})
        self._today = today

    def clean_announced(self) -> Any:
        """Refuse a day that is over: what was earned on it would be taken back."""
        day = self.cleaned_data["announced"]
        if day < self._today:
            raise forms.ValidationError(_("This day is over. Choose today or a later day."))
        return day


@need(Role.MANAGER, auditor=True)
@require_GET
def show(request: HttpRequest) -> HttpResponse:
    """Show how far the end is, or how to announce it."""
    return _page(request, in_force(request), EndForm(_today(in_force(request))))


@need(Role.OWNER)
@require_POST
def announce(request: HttpRequest) -> HttpResponse:
    """Publish the program with its end; changes that are not published stay as they are."""
    program = in_force(request)
    form = EndForm(_today(program), request.POST)
    if program.sunset is not None or not form.is_valid():
        return _page(request, program, form, status=422)
    sunset = Sunset(form.cleaned_data["announced"], form.cleaned_data["notice_days"])
    _publish(request, msgspec.structs.replace(program, sunset=sunset), "program.end")
    return redirect("owner-program-end")


@need(Role.OWNER)
@require_POST
def recall(request: HttpRequest) -> HttpResponse:
    """Go on with the program, as long as its last day is not over."""
    program = in_force(request)
    if program.sunset is not None and program.sunset.may_burn(_today(program)):
        _publish(request, msgspec.structs.replace(program, sunset=None), "program.go_on")
    return redirect("owner-program-end")


def _publish(request: HttpRequest, program: Program, action: str) -> None:
    staff = staff_of(request)
    after = drafts.newest(program.id)
    made = programs.publish(program, timezone.now(), staff, after=after)
    drafts.follow(program, after, made.version)
    note(staff, action, f"program:{program.id}", version=made.version)


def _today(program: Program) -> Any:
    return program.today(timezone.now())


def _page(request: HttpRequest, program: Program, form: EndForm, status: int = 200) -> HttpResponse:
    today = _today(program)
    units = sorted(
        set(
            Account.objects.filter(member__program=program.id, balance__gt=0, account="main")
            .values_list("unit", flat=True)
            .distinct()
        )
    )
    open_units = [
        (unit, outstanding(program.id, unit), owed(program, unit, today).amount_minor)
        for unit in units
        if not unit.startswith("carry")
    ]
    sunset = program.sunset
    return page(
        request,
        "sunset.html",
        status=status,
        program=program,
        form=form,
        open_units=open_units,
        today=today,
        over=sunset is not None and not sunset.may_burn(today),
        earning=sunset is not None and sunset.may_earn(today),
        days_left=(sunset.last_burn_day - today).days + 1 if sunset else None,
    )
