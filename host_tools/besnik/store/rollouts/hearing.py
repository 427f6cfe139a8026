"""What readers say of an update, written into the roll-out they are in."""

from __future__ import annotations

import datetime as dt
from typing import Final

from django.db import transaction

from besnik.contract import UpdateState
from besnik.store.models import Alert, Rollout, RolloutReader

# These pass: the reader is told again, so often.
PASSING: Final = frozenset({"busy", "expired", "truncated"})
TRIES_MAX: Final = 8


def heard(shop: str, reader: str, said: UpdateState, now: dt.datetime) -> None:
    """Note what a reader says of a release; if it went back to its old one, the roll-out stops."""
    row = (
        RolloutReader.objects.filter(
            reader__slug=reader, reader__shop__slug=shop, rollout__release__number=said.n
        )
        .order_by("-rollout_id")
        .first()
    )
    if row is None:
        return
    with transaction.atomic():
        passes = said.s == "refused" and said.why in PASSING and row.tries < TRIES_MAX
        row.state = "waiting" if passes else said.s
        row.why, row.percent, row.at = _printable(said.why), said.p, now
        row.save(update_fields=["state", "why", "percent", "at"])
        if said.s == "rolled_back":
            halt(row, "rolled_back", now)


def halt(row: RolloutReader, why: str, now: dt.datetime) -> None:
    """Stop the roll-out because of a reader, and have the owner alerted.

    One that is over is stopped too, so that it is not widened.
    """
    rollout = Rollout.objects.filter(pk=row.rollout_id).exclude(state="stopped")
    if rollout.update(state="stopped", why=why, stopped_by=row.reader_id, ended_at=now):
        Alert.objects.create(
            program_id=row.rollout.program_id,
            kind="update_stopped",
            detail={"rollout": row.rollout_id, "reader": row.reader.slug, "why": why},
            at=now,
        )


def reborn(shop: str, reader: str, now: dt.datetime) -> None:
    """A reader has come on line: what it was told before may be lost, so it is told again."""
    RolloutReader.objects.filter(
        reader__slug=reader,
        reader__shop__slug=shop,
        rollout__state="running",
        state__in=("told", "loading", "silent"),
    ).update(state="waiting", why="", tries=0, at=now)


def _printable(text: str) -> str:
    return "".join(filter(str.isprintable, text))[:64]
