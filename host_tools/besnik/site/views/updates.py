"""The owner's page of updates: roll-outs of releases to readers, begun, watched, stopped."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any, Final

from django import forms
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.template.loader import render_to_string
from django.utils import timezone, translation
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_GET, require_POST

from besnik.site import streams, updates
from besnik.site.access import need, readers_of, staff_of
from besnik.site.hub import hub
from besnik.site.owner.fields import WholeField
from besnik.site.views.owner.common import note
from besnik.site.views.owner.common import page as owner_page
from besnik.store import rollouts
from besnik.store.models import Release, Role, Rollout, Staff
from besnik.store.rollouts import RolloutError

LOOK_S: Final = 2.0
REST_S: Final = 0.5
PAUSE_MIN: Final = 10
_GOALS: Final = {
    "reader": gettext_lazy("this reader only"),
    "shop": gettext_lazy("its shop"),
    "all": gettext_lazy("all readers"),
}


class BeginForm(forms.Form):
    """Which release goes to which reader first, and how far then."""

    release = forms.TypedChoiceField(coerce=int, label=gettext_lazy("Release"))
    first = forms.ChoiceField(label=gettext_lazy("First to this reader"))
    goal = forms.ChoiceField(label=gettext_lazy("Then as far as"))
    pause_min = WholeField(
        0,
        1440,
        label=gettext_lazy("Minutes to wait in between"),
        help_text=gettext_lazy("Long enough to see that the readers that have it do well."),
    )

    def __init__(self, staff: Staff, data: Any = None) -> None:
        super().__init__(data, initial={"goal": "shop", "pause_min": PAUSE_MIN})
        self.readers = {each.slug: each for each in _readers(staff)}
        choices: dict[str, list[tuple[str, Any]]] = {
            "release": [(str(number), named) for number, named in updates.releases()],
            "first": [
                (slug, f"{each.shop.name} · {each.till.name} · {each.name}")
                for slug, each in self.readers.items()
            ],
            # Who works in some of the shops only does not change the others.
            "goal": [
                (goal, words)
                for goal, words in _GOALS.items()
                if goal != "all" or not staff.shops.exists()
            ],
        }
        for name, found in choices.items():
            self.fields[name].choices = found  # type: ignore[attr-defined]  # a ChoiceField


@need(Role.MANAGER, auditor=True)
@require_GET
def page(request: HttpRequest) -> HttpResponse:
    """Show the newest roll-outs, and the form that begins one."""
    return _page(request, BeginForm(staff_of(request)))


@need(Role.MANAGER, auditor=True)
@require_GET
async def events(request: HttpRequest) -> StreamingHttpResponse:
    """Stream the roll-outs as they change: ``list``; ``link`` tells how current."""
    screen = UpdatesScreen(staff_of(request), translation.get_language() or "en")
    return streams.stream(_watch(screen))


@need(Role.OWNER)
@require_POST
def begin(request: HttpRequest) -> HttpResponse:
    """Begin a roll-out."""
    staff = staff_of(request)
    form = BeginForm(staff, request.POST)
    if not form.is_valid():
        return _page(request, form, status=422)
    given = form.cleaned_data
    release = get_object_or_404(Release, number=given["release"])
    first, goal = form.readers[given["first"]], given["goal"]
    pause_s = given["pause_min"] * 60
    try:
        rollouts.begin(release, first, goal, now=timezone.now(), pause_s=pause_s, by=staff)
    except RolloutError as error:
        form.add_error(None, _why_not(error))
        return _page(request, form, status=409)
    note(staff, "update.begin", f"reader:{first.slug}", release=release.number, goal=goal)
    return redirect("updates")


@need(Role.OWNER)
@require_POST
def stop(request: HttpRequest, rollout: int) -> HttpResponse:
    """Tell no more readers."""
    return _change(request, rollout, "update.stop", "")


@need(Role.OWNER)
@require_POST
def widen(request: HttpRequest, rollout: int) -> HttpResponse:
    """Let a roll-out go on, to ``goal``."""
    goal = request.POST.get("goal", "")
    if goal not in dict(BeginForm(staff_of(request)).fields["goal"].choices):  # type: ignore[attr-defined]  # a ChoiceField
        return _page(request, BeginForm(staff_of(request)), status=422)
    return _change(request, rollout, "update.widen", goal)


def _change(request: HttpRequest, number: int, action: str, goal: str) -> HttpResponse:
    staff = staff_of(request)
    rollout = get_object_or_404(Rollout, pk=number, program=staff.program_id)
    try:
        if goal:
            rollouts.widen(rollout, goal)
        else:
            rollouts.stop(rollout, timezone.now())
    except RolloutError as error:
        form = BeginForm(staff)
        return _page(request, form, status=409, wrong=_why_not(error))
    note(staff, action, f"rollout:{rollout.pk}", **({"goal": goal} if goal else {}))
    return redirect("updates")


def _why_not(error: RolloutError) -> str:
    match error.reason:
        case "gone":
            return _("The files of this release are no longer on the host. Copy them there again.")
        case "running":
            return _("Another release is on its way. Let it end, or stop it first.")
        case "over":
            return _("It is over already.")
        case "back":
            return _("A reader stopped it. Find out why, and roll out a better release.")
    return _("It goes that far already.")


class UpdatesScreen:
    """What one person's page of updates, in one language, is told: see `streams.live`."""

    def __init__(self, staff: Staff, language: str) -> None:
        self._staff = staff
        self._language = language
        self._said = ""

    def look(self) -> list[bytes]:
        """Return the list, if it has changed."""
        with translation.override(self._language):
            said = render_to_string("site/_updates.html", _context(self._staff))
        if said == self._said:
            return []
        self._said = said
        return [streams.event("list", said)]


async def _watch(screen: UpdatesScreen) -> AsyncIterator[bytes]:
    with hub.watch(None) as watch:
        async for line in streams.live(watch, screen.look, lambda: hub.sight, LOOK_S, REST_S):
            yield line


def _readers(staff: Staff) -> Any:
    found: Any = readers_of(staff).select_related("shop", "till")
    return found.order_by("shop__name", "till__name", "name")


def _context(staff: Staff) -> dict[str, Any]:
    return {
        "courses": updates.courses(staff),
        "is_owner": staff.role == Role.OWNER,
        "goals": _GOALS,
    }


def _page(
    request: HttpRequest, form: BeginForm, status: int = 200, wrong: str = ""
) -> HttpResponse:
    staff = staff_of(request)
    return owner_page(
        request, "updates.html", status=status, form=form, wrong=wrong,
        has_releases=bool(form.fields["release"].choices),  # type: ignore[attr-defined]  # as above
        **_context(staff),
    )  # fmt: skip
