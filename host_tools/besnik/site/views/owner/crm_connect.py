"""A CRM is chosen, tested and kept."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any

import msgspec
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods

from besnik.crm import choosing, find, picking
from besnik.crm.foreign import CrmSettingsError, Field
from besnik.crm.trial import Trial, trouble_of
from besnik.site.access import need, staff_of
from besnik.site.owner import crm_words, work
from besnik.site.owner.crm_forms import ConnectForm
from besnik.site.views.owner.common import note, page
from besnik.store.models import CrmSource, Role


class _Tested(msgspec.Struct, frozen=True):
    """A test that is over; ``misnamed`` are settings (label, value) that name no field there.

    ``is_kept``: what was filled in is the program's CRM from now on.
    """

    adapter: str
    trial: Trial
    is_kept: bool
    misnamed: Mapping[str, str] = {}


@need(Role.OWNER)
@require_GET
def choose(request: HttpRequest) -> HttpResponse:
    """Show which CRMs can be connected."""
    return page(request, "crm_choose.html", adapters=adapters())


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
        offered=_offered(request, adapter, source if is_this else None),
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
    tested: _Tested = started.result
    found = tested.trial
    said: dict[str, Any] = {}
    if found.trouble is not None:
        title, what_to_do = crm_words.TROUBLES[found.trouble.kind]
        said = {"title": title, "what_to_do": what_to_do, "detail": found.trouble.text}
    return page(
        request,
        "crm_trial.html",
        tested=tested,
        name=crm_words.name_of(tested.adapter),
        trial=found,
        trouble=said,
        key=key,
        misnamed=[(_(label), name) for label, name in tested.misnamed.items()],
        lacks=[crm_words.LACKS[one] for one in found.lacks if one not in crm_words.HARMLESS],
        notes=[crm_words.LACKS[one] for one in found.lacks if one in crm_words.HARMLESS],
    )


def adapters() -> list[dict[str, Any]]:
    """Return what an owner can choose from: those that are proved first."""
    return sorted(
        (
            {
                "adapter": adapter,
                "name": crm_words.name_of(adapter),
                "is_proved": adapter in crm_words.PROVED,
                "is_ours": adapter in crm_words.NAMES,
                "is_own": adapter == crm_words.OWN,
            }
            for adapter in find.adapters()
        ),
        key=lambda each: (not each["is_proved"], str(each["name"]).lower()),
    )


def _offered(request: HttpRequest, adapter: str, source: CrmSource | None) -> Sequence[Field]:
    """Return the fields that a test has found: the one that the owner comes from, or the last."""
    started = work.find(request.GET.get("trial", ""), staff_of(request).pk)
    tested = None if started is None else started.result
    if isinstance(tested, _Tested) and tested.adapter == adapter and tested.trial.fields:
        return tested.trial.fields
    return () if source is None else choosing.offered(source)


def _test(request: HttpRequest, chosen: choosing.Choice, card: str) -> HttpResponse:
    staff = staff_of(request)
    program = staff.program_id

    def job(_work: work.Work) -> _Tested:
        found = asyncio.run(choosing.tried(chosen, card))
        source = choosing.of(program)
        # One that is in use is not changed to what does not work.
        is_kept = found.trouble is None or source is None or not source.is_on
        if is_kept:
            try:
                choosing.keep(program, chosen, found.offered)
            except CrmSettingsError as error:  # its customers are being gone through
                return _Tested(chosen.adapter, Trial(trouble_of(error)), False)
            note(staff, "crm.connect", f"crm:{chosen.adapter}", works=found.trouble is None)
        asks = find.adapter(chosen.adapter).asks_for()
        wrong = picking.misnamed(asks, chosen.settings, found.fields)
        misnamed = {setting.label: chosen.settings[setting.name] for setting in wrong}
        return _Tested(chosen.adapter, found, is_kept, misnamed)

    started = work.start(staff.pk, 1, job)
    started.wait()
    return redirect("owner-crm-trial", started.key)
