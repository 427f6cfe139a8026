"""The shop's own CRM: chosen, tested, switched on, and how it is doing."""

from __future__ import annotations

import asyncio
from typing import Any

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from besnik.crm import choosing, find, forgetting, moving, pending, several, sources
from besnik.crm.foreign import CrmSettingsError
from besnik.crm.trial import Trial, trouble_of
from besnik.site.access import need, staff_of
from besnik.site.owner import crm_words, hooks, work
from besnik.site.owner.crm_forms import ConnectForm
from besnik.site.views.owner.common import note, page
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
        return page(request, "crm_choose.html", adapters=_adapters())
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
@require_GET
def choose(request: HttpRequest) -> HttpResponse:
    """Show which CRMs can be connected."""
    return page(request, "crm_choose.html", adapters=_adapters())


@need(Role.OWNER)
@require_http_methods(["GET", "POST"])
def connect(request: HttpRequest, adapter: str) -> HttpResponse:
    """Ask for address and key of a CRM, and test them; nothing else changes by that."""
    program = staff_of(request).program_id
    try:
        asks = find.adapter(adapter).asks_for()
    except CrmSettingsError as error:
        raise Http404 from error
    source = choosing.of(program)
    is_this = source is not None and source.adapter == adapter
    form = ConnectForm(
        asks,
        request.POST if request.method == "POST" else None,
        known=source.settings if source is not None and is_this else {},
        kept=choosing.known_secrets(program, asks) if is_this else frozenset(),
    )
    wrong = ""
    if source is not None and not is_this and source.is_on:
        wrong = _("Another CRM is in use. Switch that off first.")
    elif request.method == "POST" and form.is_valid():
        given = {**form.cleaned_data}
        card = given.pop("card")
        return _test(request, choosing.choice(program, adapter, given), card)
    return page(
        request,
        "crm_connect.html",
        status=422 if request.method == "POST" else 200,
        form=form,
        adapter=adapter,
        name=crm_words.name_of(adapter),
        is_proved=adapter in crm_words.PROVED,
        first=crm_words.FIRST.get(adapter, ""),
        wrong=wrong,
    )


@need(Role.OWNER)
@require_GET
def trial(request: HttpRequest, key: str) -> HttpResponse:
    """Show what a test found, or that it is still under way."""
    started = work.find(key, staff_of(request).pk)
    if started is None:
        return redirect("owner-crm")
    if not started.over:
        response = page(request, "crm_trial.html", is_running=True)
        response.headers["Refresh"] = "2"
        return response
    if started.failed:
        return page(request, "crm_trial.html", status=500, failed=True)
    found: Trial
    adapter, found, is_kept = started.result
    said: dict[str, Any] = {}
    if found.trouble is not None:
        title, what_to_do = crm_words.TROUBLES[found.trouble.kind]
        said = {"title": title, "what_to_do": what_to_do, "detail": found.trouble.text}
    return page(
        request,
        "crm_trial.html",
        adapter=adapter,
        name=crm_words.name_of(adapter),
        trial=found,
        trouble=said,
        is_kept=is_kept,
        lacks=[crm_words.LACKS[one] for one in found.lacks if one not in crm_words.HARMLESS],
        notes=[crm_words.LACKS[one] for one in found.lacks if one in crm_words.HARMLESS],
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


def _test(request: HttpRequest, chosen: choosing.Choice, card: str) -> HttpResponse:
    staff = staff_of(request)
    program = staff.program_id

    def job(_work: work.Work) -> tuple[str, Trial, bool]:
        found = asyncio.run(choosing.tried(chosen, card))
        source = choosing.of(program)
        # One that is in use is not changed to what does not work.
        is_kept = found.trouble is None or source is None or not source.is_on
        if is_kept:
            try:
                choosing.keep(program, chosen, found.fields)
            except CrmSettingsError as error:  # its customers are being gone through
                return chosen.adapter, Trial(trouble_of(error)), False
            note(staff, "crm.connect", f"crm:{chosen.adapter}", works=found.trouble is None)
        return chosen.adapter, found, is_kept

    started = work.start(staff.pk, 1, job)
    started.wait()
    return redirect("owner-crm-trial", started.key)


def _adapters() -> list[dict[str, Any]]:
    return sorted(
        (
            {
                "adapter": adapter,
                "name": crm_words.name_of(adapter),
                "is_proved": adapter in crm_words.PROVED,
                "is_ours": adapter in crm_words.NAMES,
            }
            for adapter in find.adapters()
        ),
        key=lambda each: (not each["is_proved"], str(each["name"]).lower()),
    )
