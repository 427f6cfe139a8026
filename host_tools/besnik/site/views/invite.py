"""What staff hand to a member: the code of the member's own page, and of a printed card."""

from __future__ import annotations

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_GET, require_POST

from besnik.site import qr
from besnik.site.access import at_least, need, staff_of
from besnik.store import audit, people
from besnik.store.models import Card, CardKind, CardState, Member, MemberStatus, Role


@need(Role.CASHIER)
@require_GET
def show(request: HttpRequest, ref: str) -> HttpResponse:
    """Show the code of a member's page, for the member's phone; that it was shown is on record."""
    member = _member(request, ref)
    staff = staff_of(request)
    link = request.build_absolute_uri(people.link(member))
    codes = Card.objects.filter(member=member, kind=CardKind.CODE, state=CardState.ACTIVE)
    code = codes.order_by("-pk").values_list("data", flat=True).first() or ""
    audit.record(staff, "member.link", f"member:{member.ref}")
    context = {
        "member": member,
        "qr": qr.svg(link),
        "printed": people.grouped(code),
        "printed_qr": qr.svg(code) if code else "",
        "may_renew": at_least(staff, Role.LEAD),
    }
    response = render(request, "site/own/invite.html", context)
    response.headers["Cache-Control"] = "private, no-store"
    return response


@need(Role.LEAD)
@require_POST
def renew(request: HttpRequest, ref: str) -> HttpResponse:
    """End every link of a member that was given before: a phone was lost."""
    member = _member(request, ref)
    people.renew(member)
    audit.record(staff_of(request), "member.link.renew", f"member:{member.ref}")
    return redirect("member-invite", ref)


def _member(request: HttpRequest, ref: str) -> Member:
    members = Member.objects.filter(program=staff_of(request).program_id, ref=ref)
    member = members.exclude(status=MemberStatus.ERASED).first()
    if member is None:
        raise Http404
    return member
