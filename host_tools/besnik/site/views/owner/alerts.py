"""What somebody should look at, the newest first."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_GET, require_POST

from besnik.site.access import need, staff_of
from besnik.site.views.owner.common import note, page
from besnik.store.models import Alert, Role

LAST: Final = 100
WORDS: Final[Mapping[str, object]] = {
    "too_fast": _("A card was used too often in a short time, and was refused."),
    "own_card": _("A cashier used a card of their own."),
    "odd_sale": _("A sale was much larger than usual."),
    "update_stopped": _("An update of readers stopped by itself: see the page Updates."),
}


@need(Role.MANAGER, auditor=True)
@require_GET
def show(request: HttpRequest) -> HttpResponse:
    """Show the alerts, those that nobody has seen first."""
    alerts = Alert.objects.filter(program=staff_of(request).program_id)
    rows = alerts.select_related("member", "staff")
    waiting = rows.filter(seen_at__isnull=True).order_by("-at")[:LAST]
    seen = rows.filter(seen_at__isnull=False).order_by("-at")[:LAST]
    return page(request, "alerts.html", waiting=_told(waiting), seen=_told(seen))


@need(Role.MANAGER)
@require_POST
def see(request: HttpRequest) -> HttpResponse:
    """Mark one alert as seen, or all that were on the page (up to ``until``)."""
    alerts = Alert.objects.filter(program=staff_of(request).program_id, seen_at__isnull=True)
    number, until = request.POST.get("alert", ""), request.POST.get("until", "")
    if number.isdecimal():
        alerts = alerts.filter(pk=int(number))
    elif until.isdecimal():
        alerts = alerts.filter(pk__lte=int(until))
    else:
        alerts = alerts.none()
    marked = alerts.update(seen_at=timezone.now())
    if marked:
        note(staff_of(request), "alert.seen", "alerts", count=marked)
    return redirect("owner-alerts")


def _told(alerts: Iterable[Alert]) -> list[dict[str, object]]:
    return [{"alert": alert, "text": WORDS.get(alert.kind, alert.kind)} for alert in alerts]
