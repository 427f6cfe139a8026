"""Enrolment at the till: the card of a tap, or a printed code where there is none."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from besnik.site import formats
from besnik.site.access import need
from besnik.site.cashier import answers, words
from besnik.site.cashier.done import Done
from besnik.site.cashier.enrolling import Enrolled, EnrolSheet, Source, ask_again, read_twice
from besnik.site.cashier.serving import Serving, serving
from besnik.site.views.acts import key_of
from besnik.store.models import Role, Tap
from besnik.store.people import grouped
from besnik.store.till import TillError

_SHEET = "site/_enrol.html"
# What is wrong with which field.
_FIELDS = {"name": "name", "phone": "name", "language": "language"}


@need(Role.CASHIER)
@require_POST
def card(request: HttpRequest, shop: str, till: str, tap: int) -> HttpResponse:
    """Enrol the card of a tap at this till, once it was read twice.

    What cannot be used is shown with what was typed.
    """
    served = serving(request, shop, till)
    source = get_object_or_404(
        Tap.objects.select_related("reader"), pk=tap, reader__till=served.till, reason="unknown"
    )
    return _enrol(request, served, source)


@need(Role.CASHIER)
@require_POST
def code(request: HttpRequest, shop: str, till: str) -> HttpResponse:
    """Enrol somebody without a card that can be recognised, with a printed code."""
    return _enrol(request, serving(request, shop, till), None)


def _enrol(request: HttpRequest, served: Serving, tap: Tap | None) -> HttpResponse:
    form = EnrolSheet(request.POST)
    awaits = ""
    if form.is_valid():
        try:
            if tap is None or read_twice(served.till, tap):
                return _done(request, served, form.enrol(served.place, tap, key_of(request)))
            awaits = tap.data
        except TillError as refused:
            field = _FIELDS.get(refused.code.partition("_")[0])
            form.add_error(field, refused.said(formats.number))
    form.mark()
    asked = {
        "form": form,
        "source": Source(tap.pk, tap.data, tap.finding) if tap else None,
        "awaits": awaits,
        "awaits_text": ask_again(),
    }
    return answers.sheet(request, served, _SHEET, asked)


def _done(request: HttpRequest, served: Serving, made: Enrolled) -> HttpResponse:
    text = _("%(name)s is enrolled.") % {"name": made.joined.name}
    done = Done(
        text,
        extra=words.gains(made.joined.gift, served.currency),
        code=grouped(made.code) if made.code else "",
        member=made.joined.member,
    )
    return answers.was_done(request, served, done)
