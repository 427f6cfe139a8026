"""What was published when, by whom, and what changed, in words."""

from __future__ import annotations

from typing import Any

from django.http import Http404, HttpRequest, HttpResponse
from django.views.decorators.http import require_GET

from besnik.loyalty.program import Program, decode
from besnik.loyalty.text import program_text
from besnik.site.access import need, staff_of
from besnik.site.owner import say
from besnik.site.views.owner.common import draft_of, page
from besnik.store.models import ProgramVersion, Role


@need(Role.MANAGER, auditor=True)
@require_GET
def history(request: HttpRequest) -> HttpResponse:
    """Show every version, the newest first, with what it changed."""
    rows = _rows(request)
    shown = []
    for place, row in enumerate(rows):
        before = decode(rows[place + 1].document) if place + 1 < len(rows) else None
        shown.append({"row": row, **_changes(before, decode(row.document))})
    draft = draft_of(request)
    coming = None
    if draft.edited:
        before = decode(rows[0].document) if rows else None
        coming = _changes(before, draft.program)
    return page(request, "versions.html", versions=shown, coming=coming)


@need(Role.MANAGER, auditor=True)
@require_GET
def version(request: HttpRequest, number: int) -> HttpResponse:
    """Show one version in all languages."""
    row = next((row for row in _rows(request) if row.version == number), None)
    if row is None:
        raise Http404
    return page(
        request, "version.html", row=row, words=say.in_all(program_text(decode(row.document)))
    )


def _rows(request: HttpRequest) -> list[ProgramVersion]:
    versions = ProgramVersion.objects.filter(program=staff_of(request).program_id)
    return list(versions.select_related("published_by").order_by("-version"))


def _changes(before: Program | None, after: Program) -> dict[str, Any]:
    """Return the sentences that came and went."""
    old = say.sentences(before) if before else []
    new = say.sentences(after)
    return {
        "added": [text for text in new if text not in old],
        "removed": [text for text in old if text not in new],
    }
