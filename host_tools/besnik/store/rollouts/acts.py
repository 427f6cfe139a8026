"""What people do with roll-outs: begin one, stop it, let it go further."""

from __future__ import annotations

import datetime as dt

from django.db import IntegrityError, transaction

from besnik.store.models import Reader, Release, Rollout, RolloutReader, Staff
from besnik.store.models.updates import STAGES


class RolloutError(Exception):
    """What cannot be done with a roll-out. ``reason``: gone, running, over, back or nothing.

    ``gone``: the release's files are not on this host. ``running``: another roll-out runs.
    ``over``: it does not run any more. ``back``: it was stopped by a reader. ``nothing``: it
    goes that far anyway.
    """

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


def begin(
    release: Release, first: Reader, goal: str, *, now: dt.datetime, pause_s: int = 0,
    by: Staff | None = None,
) -> Rollout:  # fmt: skip
    """Begin to roll a release out, from the reader ``first`` as far as ``goal``; RolloutError.

    ``goal`` is one of STAGES: that reader alone, its shop, all of its program. Between two stages
    ``pause_s`` seconds pass.
    """
    assert goal in STAGES, goal
    if not release.is_here:
        raise RolloutError("gone")
    try:
        with transaction.atomic():
            rollout = Rollout.objects.create(
                program_id=first.shop.program_id,
                release=release,
                first=first,
                goal=goal,
                pause_s=pause_s,
                started_by=by,
                started_at=now,
            )
            RolloutReader.objects.create(rollout=rollout, reader=first, at=now)
    except IntegrityError as error:
        raise RolloutError("running") from error
    return rollout


def stop(rollout: Rollout, now: dt.datetime) -> None:
    """Tell no more readers; what a reader has begun to try it decides by itself. RolloutError."""
    running = Rollout.objects.filter(pk=rollout.pk, state="running")
    if not running.update(state="stopped", why="person", ended_at=now):
        raise RolloutError("over")


def widen(rollout: Rollout, goal: str) -> None:
    """Let a roll-out go as far as ``goal``, though it may be over; RolloutError.

    One that a reader stopped goes no further: what is wrong with its release stays wrong.
    """
    assert goal in STAGES, goal
    try:
        with transaction.atomic():
            found = Rollout.objects.select_related("release").get(pk=rollout.pk)
            _check(found, goal)
            found.goal, found.state, found.why, found.ended_at = goal, "running", "", None
            found.save(update_fields=["goal", "state", "why", "ended_at"])
    except IntegrityError as error:
        raise RolloutError("running") from error


def _check(rollout: Rollout, goal: str) -> None:
    if not rollout.release.is_here:
        raise RolloutError("gone")
    if rollout.state == "stopped" and rollout.why != "person":
        raise RolloutError("back")
    if rollout.state != "stopped" and STAGES.index(goal) <= STAGES.index(rollout.goal):
        raise RolloutError("nothing")
