"""Going through all customers of the CRM: counted first, then taken over."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.utils import timezone
from django.views.decorators.http import require_GET, require_POST

from besnik.crm import imports, settling
from besnik.site.access import need, staff_of
from besnik.site.owner import crm_words, work
from besnik.site.views.owner.common import note, page
from besnik.site.views.owner.crm import source_of
from besnik.store.models import CrmRun, Role


@need(Role.OWNER)
@require_POST
def start(request: HttpRequest) -> HttpResponse:
    """Count (``dry`` is 1) or import, in the background; an import that broke off goes on.

    With ``anew`` (1) it begins with the first customer instead.
    """
    source, staff = source_of(request), staff_of(request)
    dry = request.POST.get("dry") == "1"
    try:
        run = imports.begin(source, staff, dry=dry, anew=request.POST.get("anew") == "1")
    except imports.BusyError:
        running = CrmRun.objects.filter(program=source.program_id, state="running")
        return redirect("owner-crm-run", running.latest("started_at").pk)
    if not dry:
        note(staff, "crm.import", f"crm:{source.adapter}", run=run.pk)
    work.start(staff.pk, 1, lambda _work: imports.walk(run)).wait()
    return redirect("owner-crm-run", run.pk)


@need(Role.OWNER)
@require_GET
def one(request: HttpRequest, number: int) -> HttpResponse:
    """Show how far it is, and what was found."""
    run = get_object_or_404(CrmRun, program=staff_of(request).program_id, pk=number)
    is_lost = imports.is_lost(run, timezone.now())
    is_running = run.state == "running" and not is_lost
    source = source_of(request)
    response = page(
        request,
        "crm_run.html",
        run=run,
        source=source,
        name=crm_words.name_of(source.adapter),
        is_running=is_running,
        only_here=max(settling.only_here(source.program_id) - run.linked, 0) if run.dry else 0,
        is_broken=is_lost or run.state == "failed",
        examples=[
            {
                "text": crm_words.DIFFERENCES[kind].text,
                "id": external_id,
                "there": crm_words.said(kind, there),
                "here": crm_words.said(kind, here),
            }
            for kind, external_id, there, here in run.examples
        ],
    )
    if is_running:
        response.headers["Refresh"] = "2"
    return response
