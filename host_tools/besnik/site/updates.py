"""Updates of readers for the owner's pages: how far each reader is, in words."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

import msgspec
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from besnik.site.access import readers_of
from besnik.site.formats import number, percent
from besnik.store.models import Release, Rollout, RolloutReader, Staff

SHOWN: Final = 5
_STATES: Final[dict[str, Promise]] = {
    "waiting": _("waits its turn, or is off line"),
    "told": _("was told"),
    "loading": _("loads it"),
    "ready": _("starts it"),
    "trying": _("tries it"),
    "kept": _("has it"),
    "refused": _("refused it"),
    "rolled_back": _("went back to the release before it"),
    "silent": _("does not answer"),
    "gone": _("was not heard of since it started it"),
}
_REASONS: Final[dict[str, Promise]] = {
    "signature": _("it is not signed by the key that this reader was flashed with"),
    "board": _("it is for another kind of board"),
    "mpy": _("the MicroPython on it cannot run it: flash it anew"),
    "number": _("it has it already, or a newer one"),
    "truncated": _("not all of it arrived"),
    "hash": _("a file was damaged on its way or in its memory"),
    "space": _("there is no room on it: flash it anew"),
    "expired": _("the order came too late: is its clock right?"),
    "busy": _("it was busy with another one"),
    "restarted": _("it started anew before it could be sure"),
    "broker": _("it could not reach the broker with it"),
    "rc522": _("its card chip did not answer with it"),
    "verdict": _("the host did not answer it"),
}
_STOPS: Final[dict[str, Promise]] = {
    "person": _("Somebody stopped it."),
    "rolled_back": _("This reader went back to the release it had before. Nobody else is told."),
    "gone": _(
        "This reader was not heard of any more after it had started the release. Nobody else is "
        "told. Look at it, and switch it off and on."
    ),
    "nobody": _("No reader took it."),
}
_GOOD: Final = frozenset({"kept"})
_BAD: Final = frozenset({"refused", "rolled_back", "silent", "gone"})


class Step(msgspec.Struct, frozen=True):
    """How far one reader is with a release."""

    row: RolloutReader

    @property
    def mood(self) -> str:
        """``good``, ``bad``, or ``open`` while that is not known."""
        if self.row.state in _GOOD or self.row.why == "number":
            return "good"
        return "bad" if self.row.state in _BAD else "open"

    @property
    def words(self) -> str:
        """What it does now, and why."""
        said = str(_STATES[self.row.state])
        if self.row.state == "loading":
            said = f"{said} ({percent(self.row.percent / 100, 0)})"
        reason = _REASONS.get(self.row.why, self.row.why)
        return f"{said}: {reason}" if reason else said


class Course(msgspec.Struct, frozen=True):
    """A roll-out with the readers of it that a person may see."""

    rollout: Rollout
    steps: tuple[Step, ...]

    @property
    def good(self) -> int:
        """How many have it."""
        return sum(step.mood == "good" for step in self.steps)

    @property
    def stopped(self) -> str:
        """Why it stopped; "" if it did not."""
        return str(_STOPS.get(self.rollout.why, "")) if self.rollout.state == "stopped" else ""

    @property
    def wider(self) -> tuple[str, ...]:
        """How far it may be let go further."""
        rollout = self.rollout
        if not rollout.release.is_here or (rollout.state == "stopped" and rollout.why != "person"):
            return ()
        if rollout.state == "stopped":
            return (rollout.goal,)
        return {"reader": ("shop", "all"), "shop": ("all",)}.get(rollout.goal, ())


def courses(staff: Staff) -> list[Course]:
    """Return the newest roll-outs of a person's program, the newest first."""
    rollouts = list(
        Rollout.objects.filter(program=staff.program_id)
        .select_related("release", "first", "stopped_by", "started_by")
        .order_by("-pk")[:SHOWN]
    )
    rows = (
        RolloutReader.objects.filter(rollout__in=rollouts, reader__in=readers_of(staff))
        .select_related("reader__till", "reader__shop")
        .order_by("reader__shop__name", "reader__till__name", "reader__name")
    )
    found = list(rows)
    return [
        Course(rollout, tuple(Step(row) for row in found if row.rollout_id == rollout.pk))
        for rollout in rollouts
    ]


def newest_steps(rows: Iterable[int | None]) -> dict[int, Step]:
    """Return the steps in these rows by their readers."""
    found = RolloutReader.objects.filter(pk__in=[row for row in rows if row])
    return {row.reader_id: Step(row) for row in found.select_related("rollout__release")}


def releases() -> list[tuple[int, str]]:
    """Return the releases that can be rolled out, the newest first, and how they are called."""
    here = Release.objects.filter(is_here=True).order_by("-number")
    return [(each.number, _named(each)) for each in here]


def _named(release: Release) -> str:
    named = _("Release {number}, version {version}, for {board}")
    return str(named).format(
        number=number(release.number), version=release.version, board=release.board
    )
