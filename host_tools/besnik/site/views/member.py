"""The member's own page at a private link: no log-in, no cookie, nothing from elsewhere."""

from __future__ import annotations

import datetime as dt
import functools
from collections.abc import Callable
from typing import Any, Final

from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone, translation
from django.utils.translation import gettext as _
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from besnik.site import consents, qr
from besnik.site.access import public
from besnik.site.own import labels
from besnik.site.rate import Limiter
from besnik.store import audit, own, people, programs
from besnik.store.models import Member, MemberStatus
from besnik.store.people import links

# A person turns pages; 54 bits of a token cannot be guessed at any rate, and neither can a server
# be kept busy by trying.
_PAGES: Final = Limiter(120, 60)
_WRONG: Final = Limiter(20, 60)
LATEST: Final = 6
_HEADERS: Final = {
    "Referrer-Policy": "no-referrer",
    "X-Robots-Tag": "noindex, nofollow",
    "Cache-Control": "private, no-store",
}


def now() -> dt.datetime:
    """Return what time it is for the pages."""
    return timezone.now()


def of_member(view: Callable[..., HttpResponse]) -> Callable[..., HttpResponse]:
    """Open the view for whoever has the member's link, in the member's language and time zone.

    The link is in the address that a form is sent to, and nobody else knows it: that is what a
    token in a cookie would prove.
    """

    @public
    @csrf_exempt
    @functools.wraps(view)
    def opened(request: HttpRequest, ref: str, token: str, **named: Any) -> HttpResponse:
        response = _opened(request, ref, token, lambda member: view(request, member, **named))
        for name, value in _HEADERS.items():
            response.headers[name] = value
        return response

    return opened


def _opened(
    request: HttpRequest, ref: str, token: str, show: Callable[[Member], HttpResponse]
) -> HttpResponse:
    address = str(request.META.get("REMOTE_ADDR", ""))
    if _WRONG.full(address) or not _PAGES.count(address):
        return render(request, "site/own/busy.html", status=429)
    member = people.open_link(ref, token)
    if member is None:
        _WRONG.count(address)
        return render(request, "site/own/gone.html", {"erased": False}, status=404)
    tz = programs.current(member.program_id).tz
    with translation.override(member.language), timezone.override(tz):
        return show(member)


@require_GET
@of_member
def page(request: HttpRequest, member: Member) -> HttpResponse:
    """Show everything that is the member's."""
    return _page(request, member)


@require_GET
@of_member
def history(request: HttpRequest, member: Member) -> HttpResponse:
    """Show what changed the member's balances, a page at a time."""
    before = request.GET.get("before", "")
    known = int(before) if before.isascii() and before.isdigit() and len(before) < 19 else None
    shown = own.history(member, known)
    currency = programs.current(member.program_id).currency
    context = _frame(request, member) | {
        "history": labels.lines(shown.lines, currency.code),
        "older": shown.older,
        "first": known is None,
        "currency": currency,
    }
    return render(request, "site/own/history.html", context)


@require_POST
@of_member
def agree(request: HttpRequest, member: Member) -> HttpResponse:
    """Keep what the member agrees to, and what not any more."""
    now = people.consents.current(member)
    said = [
        answer for answer in consents.answers(request.POST) if answer.given or answer.purpose in now
    ]
    people.consents.record(member, said, source="page")
    return _back(member, "agreed", "consents")


@require_POST
@of_member
def language(request: HttpRequest, member: Member) -> HttpResponse:
    """Change the language of this page and of everything that is written to the member."""
    chosen = request.POST.get("language", "")
    if chosen in people.LANGUAGES:
        Member.objects.filter(pk=member.pk).update(language=chosen)
    return _back(member)


@require_POST
@of_member
def comment(request: HttpRequest, member: Member) -> HttpResponse:
    """Keep a rating and what is written with it."""
    rating, text = request.POST.get("rating", ""), request.POST.get("text", "")
    try:
        stars = int(rating) if rating in ("1", "2", "3", "4", "5") else 0
        people.add_comment(member, stars, text, now())
    except people.WordsError as error:
        wrong = labels.words_problem(error.code)
        given = {"wrong": wrong, "rating": rating, "text": text}
        return _page(request, member, given, status=422)
    return _back(member, "thanks", "comment")


@require_GET
@of_member
def export(_request: HttpRequest, member: Member, form: str) -> HttpResponse:
    """Give the member everything that is held about them, as a file."""
    made = people.export(member, now())
    as_table = form == "csv"
    response = HttpResponse(
        people.as_csv(made) if as_table else people.as_json(made),
        content_type="text/csv; charset=utf-8" if as_table else "application/json",
    )
    response.headers["Content-Disposition"] = f'attachment; filename="{member.ref}.{form}"'
    return response


@require_http_methods(["GET", "POST"])
@of_member
def leave(request: HttpRequest, member: Member) -> HttpResponse:
    """Say what happens to somebody who leaves, and let them go at once."""
    wrong = ""
    if request.method == "POST":
        how = request.POST.get("how", "")
        try:
            if how == "erase":
                with transaction.atomic():
                    people.erase(member, now())
                    _note(member, "member.erase")
                return render(request, "site/own/gone.html", {"erased": True})
            if how in ("keep", "lapse"):
                with transaction.atomic():
                    people.close(member, now(), lapse=how == "lapse")
                    _note(member, "member.leave", lapse=how == "lapse")
                return _back(member)
            wrong = _("Please choose what should happen.")
        except people.LeaveError as error:
            wrong = labels.leave_problem(error.code)
    shown = own.own_page(member, now())
    context = _frame(request, member) | {"own": shown, "wrong": wrong}
    return render(request, "site/own/leave.html", context, status=422 if wrong else 200)


@require_POST
@of_member
def come_back(_request: HttpRequest, member: Member) -> HttpResponse:
    """Take back a member who left."""
    if member.status == MemberStatus.CLOSED:
        with transaction.atomic():
            people.reopen(member)
            _note(member, "member.return")
    return _back(member, "back")


def _note(member: Member, action: str, **detail: bool) -> None:
    """Write into the audit log what the member did by themselves: nobody of staff did it."""
    audit.record(None, action, f"member:{member.ref}", program=member.program_id, **detail)


def _page(
    request: HttpRequest,
    member: Member,
    given: dict[str, str] | None = None,
    status: int = 200,
) -> HttpResponse:
    at = now()
    # One moment for everything on the page: what is booked meanwhile is on the next one.
    with transaction.atomic():
        shown = own.own_page(member, at)
        latest = own.history(member, most=LATEST)
        agreed = people.consents.current(member)
    link = request.build_absolute_uri(people.link(member))
    context = _frame(request, member) | {
        "own": shown,
        "currency": shown.program.currency,
        "history": labels.lines(latest.lines, shown.program.currency.code),
        "older": latest.older,
        "consents": [
            (purpose, text, purpose in agreed and agreed[purpose].given)
            for purpose, text in consents.sentences().items()
        ],
        "qr": qr.svg(link),
        "printed": people.grouped(shown.code),
        "printed_qr": qr.svg(shown.code) if shown.code else "",
        "coupons": [
            (coupon, people.grouped(coupon.code), qr.svg(coupon.code) if coupon.code else "")
            for coupon in shown.coupons
        ],
        "said": labels.done(request.GET.get("done", "")),
        "given": given or {},
    }
    return render(request, "site/own/page.html", context, status=status)


def _frame(request: HttpRequest, member: Member) -> dict[str, Any]:
    token = links.token(member)
    return {
        "member": member,
        "name": member.name,
        "program": member.program.name,
        "closed": member.status == MemberStatus.CLOSED,
        "where": {"ref": member.ref, "token": token},
        "path": request.path,
    }


def _back(member: Member, done: str = "", part: str = "") -> HttpResponse:
    address = reverse("own", args=(member.ref, links.token(member)))
    query = f"?done={done}" if done else ""
    fragment = f"#{part}" if part else ""
    return redirect(f"{address}{query}{fragment}")
