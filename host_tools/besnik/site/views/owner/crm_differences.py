"""Where CRM and ledger do not agree: each difference with its reason and what can be done."""

from __future__ import annotations

import asyncio
from typing import Any, Final

from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.utils import timezone
from django.views.decorators.http import require_GET, require_POST

from besnik.crm import choosing, readmitting, settling, several
from besnik.crm.foreign import CrmError
from besnik.crm.matching import card_from
from besnik.crm.trial import trouble_of
from besnik.loyalty.ledger import RefusedError
from besnik.site.access import need, staff_of
from besnik.site.owner import crm_words
from besnik.site.views.owner.common import note, page
from besnik.site.views.owner.crm import source_of
from besnik.store.models import CrmDelivery, CrmDifference, Role
from besnik.store.people import count_left_out

_A_PAGE: Final = 50
_NUMBER_MAX: Final = 100


@need(Role.OWNER)
@require_GET
def show(request: HttpRequest) -> HttpResponse:
    """Show what differs, what the CRM refused, and who is only here."""
    return _page(request)


@need(Role.OWNER)
@require_POST
def settle(request: HttpRequest, number: int) -> HttpResponse:
    """Do what was chosen (``deed``) about one difference."""
    source, staff = source_of(request), staff_of(request)
    found = get_object_or_404(CrmDifference, program=source.program_id, pk=number)
    deed = next(
        (each for each in settling.DEEDS[found.kind] if each == request.POST.get("deed")), None
    )
    if deed is None:
        return redirect("owner-crm-differences")
    target = f"crm:{found.external_id}"
    try:
        settling.settle(source, found, deed, staff)
    except CrmError as error:
        return _page(request, status=502, trouble=_said(error))
    except RefusedError:
        return _page(request, status=422, short=True)
    note(staff, f"crm.{deed}", target, kind=found.kind)
    return redirect("owner-crm-differences")


@need(Role.OWNER)
@require_POST
def ask_card(request: HttpRequest) -> HttpResponse:
    """Ask once more whose a card (``card``) is that several customers had."""
    source = source_of(request)
    card = card_from(request.POST.get("card", ""))
    if card is None:
        return redirect("owner-crm-differences")
    try:
        several.look_again(source, card.data)
    except CrmError as error:
        return _page(request, status=502, trouble=_said(error))
    note(staff_of(request), "crm.again", f"crm:{source.adapter}")
    return redirect("owner-crm-differences")


@need(Role.OWNER)
@require_POST
def send_again(request: HttpRequest, number: int) -> HttpResponse:
    """Send an event once more that the CRM refused."""
    source = source_of(request)
    found = get_object_or_404(CrmDelivery, program=source.program_id, pk=number, state="refused")
    settling.send_again(found)
    note(staff_of(request), "crm.send", f"crm:{found.event_id}")
    return redirect("owner-crm-differences")


@need(Role.OWNER)
@require_POST
def write_there(request: HttpRequest) -> HttpResponse:
    """Write all members there that are no customers there yet."""
    source = source_of(request)
    count = settling.write_there(source)
    note(staff_of(request), "crm.write", f"crm:{source.adapter}", members=count)
    return redirect("owner-crm-differences")


@need(Role.OWNER)
@require_POST
def readmit(request: HttpRequest) -> HttpResponse:
    """Make somebody (``number``, there or of a card) a member again who was erased here."""
    source = source_of(request)
    try:
        outcome = readmitting.readmit(source, request.POST.get("number", "")[:_NUMBER_MAX])
    except CrmError as error:
        return _page(request, status=502, trouble=_said(error))
    note(staff_of(request), "crm.take_in", f"crm:{source.adapter}", outcome=outcome)
    said = crm_words.READMITTED[outcome]
    return _page(request, status=200 if outcome == "taken" else 422, readmitted=said, was=outcome)


def _said(error: CrmError) -> dict[str, Any]:
    trouble = trouble_of(error)
    return {"title": crm_words.TROUBLES[trouble.kind][0], "detail": trouble.text}


def _page(request: HttpRequest, status: int = 200, **more: Any) -> HttpResponse:
    source = source_of(request)
    able = asyncio.run(choosing.able(source))
    can_create = able is not None and able.can_create
    rows = CrmDifference.objects.filter(program=source.program_id).select_related("member")
    refused = CrmDelivery.objects.filter(program=source.program_id, state="refused")
    listed = Paginator(rows.order_by("kind", "pk"), _A_PAGE).get_page(request.GET.get("page"))
    return page(
        request,
        "crm_differences.html",
        status=status,
        source=source,
        name=crm_words.name_of(source.adapter),
        listed=listed,
        differences=[
            {
                "row": row,
                "text": crm_words.DIFFERENCES[row.kind].text,
                "there": crm_words.said(row.kind, row.there),
                "here": crm_words.said(row.kind, row.here),
                "deeds": [
                    (deed, label)
                    for deed, label in crm_words.DIFFERENCES[row.kind].deeds.items()
                    if can_create or deed != "anew"
                ],
            }
            for row in listed
        ],
        refused=refused.select_related("member").order_by("-pk")[:_A_PAGE],
        refused_count=refused.count(),
        several=several.cards(source.program_id, timezone.now()),
        left_out=count_left_out(source.program_id),
        only_here=settling.only_here(source.program_id),
        can_create=can_create,
        **more,
    )
