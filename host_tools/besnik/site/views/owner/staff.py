"""The people who work here: a list, a person's page, and what can be done to each."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.db.models import Q, QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_GET, require_POST

from besnik.site import lockout
from besnik.site.access import need, staff_of
from besnik.site.owner.staff_forms import NewPersonForm, PersonForm, PinForm, said
from besnik.site.views.owner.common import page
from besnik.store import staff
from besnik.store.models import Role, Staff
from besnik.store.staff import StaffError


@need(Role.MANAGER, auditor=True)
@require_GET
def show(request: HttpRequest) -> HttpResponse:
    """Show who works here."""
    return _list(request, NewPersonForm(staff_of(request)))


@need(Role.MANAGER)
@never_cache
@require_POST
def add(request: HttpRequest) -> HttpResponse:
    """Add a person, and show the first password this once."""
    by = staff_of(request)
    form = NewPersonForm(by, request.POST)
    if form.is_valid():
        try:
            person, password = staff.add(by.program, by=by, **form.given)
        except StaffError as error:
            form.refuse(error)
        else:
            return _person(request, person, password=password)
    return _list(request, form, status=422)


@need(Role.MANAGER, auditor=True)
@require_GET
def person(request: HttpRequest, person: int) -> HttpResponse:
    """Show a person."""
    return _person(request, _get(request, person))


@need(Role.MANAGER)
@never_cache
@require_POST
def change(request: HttpRequest, person: int) -> HttpResponse:
    """Change name, role and shops."""
    who, by = _get(request, person), staff_of(request)
    form = PersonForm(by, request.POST, person=who)
    if form.is_valid():
        try:
            staff.change(who, by=by, **form.given)
        except StaffError as error:
            form.refuse(error)
        else:
            return redirect("staff-person", person)
    return _person(request, _get(request, person), status=422, form=form)


@need(Role.MANAGER)
@never_cache
@sensitive_post_parameters("pin")
@require_POST
def pin(request: HttpRequest, person: int) -> HttpResponse:
    """Set a person's PIN, or take it away."""
    who = _get(request, person)
    form = PinForm(request.POST)
    if form.is_valid():
        try:
            staff.set_pin(who, form.cleaned_data["pin"], by=staff_of(request))
        except StaffError as error:
            form.refuse(error)
        else:
            return redirect("staff-person", person)
    return _person(request, who, status=422, pin_form=form)


@need(Role.MANAGER)
@never_cache
@require_POST
def password(request: HttpRequest, person: int) -> HttpResponse:
    """Give a person a new first password, and show it this once."""
    return _with_password(request, person, staff.reset_password)


@need(Role.MANAGER)
@never_cache
@require_POST
def activate(request: HttpRequest, person: int) -> HttpResponse:
    """Let a person in again who had left, with a new first password."""
    return _with_password(request, person, staff.activate)


@need(Role.MANAGER)
@never_cache
@require_POST
def deactivate(request: HttpRequest, person: int) -> HttpResponse:
    """Let a person in no more."""
    who = _get(request, person)
    try:
        staff.deactivate(who, by=staff_of(request))
    except StaffError as error:
        return _person(request, _get(request, person), status=422, refused=said(error))
    return redirect("staff-person", person)


def _with_password(request: HttpRequest, person: int, make: Callable[..., str]) -> HttpResponse:
    who = _get(request, person)
    try:
        password = make(who, by=staff_of(request))
    except StaffError as error:
        return _person(request, _get(request, person), status=422, refused=said(error))
    lockout.forget(who.username)
    return _person(request, who, password=password)


def _people(by: Staff) -> QuerySet[Staff]:
    """Return whom somebody sees: all of the program, or who works in one of the same shops."""
    people = Staff.objects.filter(program=by.program_id)
    own = by.shops.values("pk")
    if own.exists():
        people = people.filter(Q(shops__in=own) | Q(shops=None)).distinct()
    return people


def _get(request: HttpRequest, person: int) -> Staff:
    try:
        return get_object_or_404(_people(staff_of(request)), pk=person)
    except OverflowError as error:
        raise Http404 from error


def _list(request: HttpRequest, form: NewPersonForm, status: int = 200) -> HttpResponse:
    people = _people(staff_of(request)).prefetch_related("shops").order_by("-is_active", "name")
    return page(request, "staff.html", status, people=people, form=form)


def _person(request: HttpRequest, who: Staff, status: int = 200, **more: Any) -> HttpResponse:
    by = staff_of(request)
    context: dict[str, Any] = {
        "person": who,
        "manages": staff.managed_by(by, who),
        "form": PersonForm(by, person=who),
        "pin_form": PinForm(),
    }
    return page(request, "person.html", status, **(context | more))
