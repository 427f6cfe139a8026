"""The start page, and the demo that shows the counter beside the cashier's screen."""

from __future__ import annotations

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from django.middleware.csrf import get_token
from django.shortcuts import render
from django.views.decorators.http import require_GET

from besnik.site.access import at_least, need, staff_of, tills
from besnik.site.cashier.context import till_context
from besnik.store.models import Role


@need(Role.CASHIER, auditor=True)
@require_GET
def index(request: HttpRequest) -> HttpResponse:
    """Show the ways in: each till, and the virtual counter where there is one."""
    staff = staff_of(request)
    context = {
        "tills": tills(request).select_related("shop").order_by("shop__name", "name"),
        "demo": bool(settings.BESNIK.site.counter_socket),
        "manages": staff.role == Role.AUDITOR or at_least(staff, Role.MANAGER),
    }
    return render(request, "site/index.html", context)


@need(Role.CASHIER, auditor=True)
@require_GET
def demo(request: HttpRequest) -> HttpResponse:
    """Show the counter and the first till side by side; 404 without a virtual counter."""
    till = tills(request).select_related("shop__program").order_by("pk").first()
    if not settings.BESNIK.site.counter_socket or till is None:
        raise Http404
    context = till_context(till, staff_of(request), get_token(request))
    return render(request, "site/demo.html", context)
