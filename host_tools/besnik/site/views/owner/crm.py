"""The shop's own CRM: chosen, tested, switched on, and how it is doing."""

from __future__ import annotations

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils import timezone
from django.views.decorators.http import require_GET, require_POST

from besnik.crm import choosing, forgetting, moving, pending, several, sources
from besnik.crm.foreign import CrmSettingsError
from besnik.site.access import need, staff_of
from besnik.site.owner import crm_words, hooks
from besnik.site.views.owner.common import note, page
from besnik.site.views.owner.crm_connect import adapters
from besnik.store import turn
from besnik.store.models import (
    CrmDelivery,
    CrmDifference,
    CrmLink,
    CrmPending,
    CrmRun,
    CrmSource,
    Role,
)


@need(Role.OWNER)
@require_GET
def show(request: HttpRequest) -> HttpResponse:
    """Show the program's CRM and how it is doing, or which ones there are."""
    return _shown(request)


def _shown(request: HttpRequest, status: int = 200, *, is_busy: bool = False) -> HttpResponse:
    program = staff_of(request).program_id
    source = choosing.of(program)
    if source is None:
        return page(request, "crm_choose.html", adapters=adapters())
    mine = {"program": program}
    done = CrmRun.objects.filter(**mine, state="done")
    steps = {
        "connect": bool(source.offered),
        "fields": bool(source.fields),
        "count": done.exists(),
        "import": done.filter(dry=False).exists(),
        "use": False,
    }
    return page(
        request,
        "crm.html",
        status=status,
        is_busy=is_busy,
        source=source,
        name=crm_words.name_of(source.adapter),
        is_unproved=crm_words.is_unproved(source.adapter),
        waiting=CrmDelivery.objects.filter(**mine, state="waiting").count(),
        refused=CrmDelivery.objects.filter(**mine, state="refused").count(),
        pending=CrmPending.objects.filter(**mine, state="waiting").count(),
        differences=CrmDifference.objects.filter(**mine).count(),
        runs=CrmRun.objects.filter(**mine).order_by("-started_at")[:10],
        several=len(several.cards(program, timezone.now())),
        was_counted=steps["count"],
        was_imported=steps["import"],
        next_step=next(step for step, is_done in steps.items() if not is_done),
        shown=choosing.shown(source),
        has_moved=moving.has_moved(source),
        rests_until=sources.held_back_until(source, timezone.now()),
        is_served=turn.is_taken(settings.BESNIK, "crm"),
        place=" · ".join(filter(None, source.place.values())),
        links=CrmLink.objects.filter(**mine).count(),
        hook=request.build_absolute_uri(hooks.path(source)),
    )


@need(Role.OWNER)
@require_POST
def switch(request: HttpRequest) -> HttpResponse:
    """Switch the CRM on (``on`` is 1) or off."""
    staff = staff_of(request)
    source = source_of(request)
    if request.POST.get("on") == "1":
        sources.switch_on(source, timezone.now())
        note(staff, "crm.on", f"crm:{source.adapter}")
    else:
        sources.switch_off(source)
        note(staff, "crm.off", f"crm:{source.adapter}")
    return redirect("owner-crm")


@need(Role.OWNER)
@require_POST
def refuse_waiting(request: HttpRequest) -> HttpResponse:
    """Let the taps that wait for a CRM that is off be taps of unknown cards."""
    source = source_of(request)
    if not source.is_on:
        refused = pending.refuse_waiting(source.program_id, timezone.now())
        note(staff_of(request), "crm.refuse", f"crm:{source.adapter}", taps=refused)
    return redirect("owner-crm")


@need(Role.OWNER)
@require_POST
def moved(request: HttpRequest) -> HttpResponse:
    """Take the customers at the CRM's address for the same (``same`` is 1), or forget the links."""
    staff, source = staff_of(request), source_of(request)
    is_same = request.POST.get("same") == "1"
    try:
        if is_same:
            moving.is_the_same(source)
        else:
            forgetting.forget(source, timezone.now())
    except CrmSettingsError:
        return _shown(request, status=409, is_busy=True)
    note(staff, "crm.same" if is_same else "crm.forget", f"crm:{source.adapter}")
    return redirect("owner-crm")


@need(Role.OWNER)
@require_POST
def new_hook(request: HttpRequest) -> HttpResponse:
    """Give the webhook another address; the old one works no more."""
    source = source_of(request)
    hooks.renew(source)
    note(staff_of(request), "crm.hook", f"crm:{source.adapter}")
    return redirect("owner-crm")


def source_of(request: HttpRequest) -> CrmSource:
    """Return the CRM of the asking person's program; 404 if it has none."""
    source = choosing.of(staff_of(request).program_id)
    if source is None:
        raise Http404
    return source
