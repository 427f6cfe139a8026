"""Members and opening balances from a file: sent, checked, then taken over."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.utils import timezone
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_GET, require_POST

from besnik.site.access import need, staff_of
from besnik.site.owner import work
from besnik.site.owner.sheets import sheet
from besnik.site.views.owner.common import note, page
from besnik.store.imports import taking
from besnik.store.imports.reading import MOST_BYTES, FileError, text_of
from besnik.store.models import ImportRun, Role

FAULTS: Final[Mapping[str, Any]] = {
    "empty": _("This file is empty."),
    "too_large": _("This file is larger than 20 MB. Split it into several."),
    "too_many": _("This file has more than 200,000 rows. Split it into several."),
    "spreadsheet": _("This is a spreadsheet. Save it there as CSV UTF-8, and send that file."),
    "alphabet": _("The letters of this file cannot be read. Save it as CSV UTF-8."),
    "columns": _(
        "The first line has to name the columns: name, and phone or card or both. Each column once."
    ),
    "csv": _("This is no CSV file. Save it as CSV UTF-8."),
}
PROBLEMS: Final[Mapping[str, Any]] = {
    "name": _("Write a name of at most 120 letters."),
    "phone": _("This is no phone number. Write it with + and the code of the country."),
    "phone_twice": _("This number is in the file twice. Keep one of the rows."),
    "phone_left": _("Whoever has this number has left the program. Ask them to join again."),
    "email": _("This is no e-mail address."),
    "birthday": _("Write the day as year-month-day, like 1980-12-31."),
    "language": _("Write en, sq, ru, el or fa."),
    "card": _("A card's number has 8, 14 or 20 of 0-9 and A-F, and does not begin with 08."),
    "card_twice": _("This card is in the file twice. Keep one of the rows."),
    "card_of_other": _("This card belongs to another member. Correct the card or the phone."),
    "card_left": _("This card belongs to somebody who has left. Give another card."),
    "nobody": _("Give a phone number or a card, so that we know the person again."),
    "balance": _("Write a whole number, 0 or more."),
}


@need(Role.OWNER)
@require_GET
def show(request: HttpRequest) -> HttpResponse:
    """Show how to send a file, and what was sent before."""
    return _page(request)


@need(Role.OWNER)
@require_GET
def example(_request: HttpRequest) -> StreamingHttpResponse:
    """Send a file to fill in."""
    header = ("name", "phone", "card", "email", "birthday", "language", "points", "stamps")
    row = ("Ana Hoxha", "355 69 123 4567", "04A1B2C3D4E580", "", "1980-12-31", "sq", 120, 3)
    return sheet("members.csv", header, [[row]])


@need(Role.OWNER)
@require_POST
def send(request: HttpRequest) -> HttpResponse:
    """Check a file without taking anything over."""
    file = request.FILES.get("file")
    staff = staff_of(request)
    try:
        if file is None:
            raise FileError("empty", "no file")
        if (file.size or 0) > MOST_BYTES:
            raise FileError("too_large", "too large")
        text = text_of(file.read())
        language = get_language() or "en"
        made = taking.begin(
            staff.program_id, staff, file.name or "", text, language, timezone.now()
        )
    except FileError as error:
        return _page(request, wrong=FAULTS[error.fault], status=422)
    return redirect("owner-import", made.pk)


@need(Role.OWNER)
@require_GET
def one(request: HttpRequest, number: int) -> HttpResponse:
    """Show what was found in a file, how far its import is, or what came of it."""
    run = _run(request, number)
    response = page(
        request,
        "import.html",
        run=run,
        problems=[
            {"line": line, "column": column, "text": PROBLEMS[code], "value": value}
            for line, column, code, value in run.problems
        ],
        fine=run.total - len({line for line, *_rest in run.problems}),
        stuck=run.state == "running" and not _is_working(run),
    )
    if run.state == "running" and _is_working(run):
        response.headers["Refresh"] = "2"
    return response


@need(Role.OWNER)
@require_POST
def take(request: HttpRequest, number: int) -> HttpResponse:
    """Take the good rows over, in the background; what had broken off goes on."""
    run, staff = _run(request, number), staff_of(request)
    if run.state in ("checked", "running", "failed") and not _is_working(run):
        language = get_language() or "en"
        note(staff, "import.take", f"import:{run.pk}", rows=run.total)
        ImportRun.objects.filter(pk=run.pk).update(state="running")
        started = work.start(staff.pk, run.total, lambda job: taking.run(run, language, job.told))
        _working[run.pk] = started
        started.wait()
    return redirect("owner-import", run.pk)


@need(Role.OWNER)
@require_POST
def forget(request: HttpRequest, number: int) -> HttpResponse:
    """Throw away a file that was not taken over."""
    run = _run(request, number)
    if not _is_working(run) and run.state != "done":
        run.delete()
    return redirect("owner-imports")


_working: dict[int, work.Work] = {}


def _is_working(run: ImportRun) -> bool:
    started = _working.get(run.pk)
    if started is None or started.over:
        _working.pop(run.pk, None)
        return False
    return True


def _run(request: HttpRequest, number: int) -> ImportRun:
    return get_object_or_404(ImportRun, program=staff_of(request).program_id, pk=number)


def _page(request: HttpRequest, wrong: object = "", status: int = 200) -> HttpResponse:
    runs = ImportRun.objects.filter(program=staff_of(request).program_id)
    return page(
        request,
        "imports.html",
        status=status,
        runs=runs.defer("content").select_related("staff").order_by("-at")[:20],
        wrong=wrong,
    )
