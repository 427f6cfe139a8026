"""The program as JSON, for those who keep it elsewhere or change it by a program of their own."""

from __future__ import annotations

from typing import Final

import msgspec
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from besnik.loyalty.program import decode, encode
from besnik.loyalty.rules import RuleError
from besnik.site.access import need, staff_of
from besnik.site.views.owner.common import draft_of, in_force, keep, page
from besnik.store.models import Role

MOST_BYTES: Final = 1_000_000


@need(Role.MANAGER, auditor=True)
@require_GET
def show(request: HttpRequest) -> HttpResponse:
    """Show the draft as JSON, with a form that takes a file."""
    return page(request, "document.html", text=_text(request))


@need(Role.MANAGER, auditor=True)
@require_GET
def download(request: HttpRequest) -> HttpResponse:
    """Send the draft as a file."""
    response = HttpResponse(_text(request), content_type="application/json")
    response.headers["Content-Disposition"] = 'attachment; filename="program.json"'
    return response


@need(Role.OWNER)
@require_POST
def upload(request: HttpRequest) -> HttpResponse:
    """Make the draft from a file; what is wrong in it is said as the program's check says it."""
    file = request.FILES.get("file")
    text = request.POST.get("text", "")
    wrong = ""
    if file is not None and (file.size or 0) > MOST_BYTES:
        wrong = _("This file is too large to be a program.")
    else:
        data = file.read() if file is not None else text.encode("utf-8", "replace")
        try:
            program = decode(data)
        except RuleError as error:
            wrong = str(error)
        else:
            wrong = _fits(request, program.currency.code)
    if wrong:
        return page(request, "document.html", status=422, text=text or _text(request), wrong=wrong)
    own = staff_of(request).program_id
    keep(request, msgspec.structs.replace(program, id=own))
    return redirect("owner-program")


def _fits(request: HttpRequest, currency: str) -> str:
    """Return what is wrong with a currency: one that members hold cannot be exchanged."""
    before = in_force(request)
    if before.rule_sets and currency != before.currency.code:
        return _("This program counts in another currency than yours.")
    return ""


def _text(request: HttpRequest) -> str:
    return msgspec.json.format(encode(draft_of(request).program), indent=2).decode()
