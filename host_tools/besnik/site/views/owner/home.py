"""The overview: what an owner looks at first."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.views.decorators.http import require_GET

from besnik.site.access import need
from besnik.site.views.owner.common import draft_of, in_force, page
from besnik.store.measures import purchases
from besnik.store.measures.windows import before, last_days
from besnik.store.models import Member, MemberStatus, Role

DAYS = 30


@need(Role.MANAGER, auditor=True)
@require_GET
def show(request: HttpRequest) -> HttpResponse:
    """Show members, visits and turnover of the last days beside those before."""
    program = in_force(request)
    window = last_days(DAYS, program.today(timezone.now()), program.zone)
    members = Member.objects.filter(program=program.id, status=MemberStatus.ACTIVE)
    return page(
        request,
        "home.html",
        program=program,
        draft=draft_of(request),
        members=members.count(),
        now=purchases.turnover(program.id, window),
        earlier=purchases.turnover(program.id, before(window)),
        days=DAYS,
    )
