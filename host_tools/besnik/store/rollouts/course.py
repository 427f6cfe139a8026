"""The course of a roll-out: which readers are told now, when the next stage begins, when it ends.

A stage is through when all of its readers that are on line are settled, and one has the release.
Those that are off line are told when they come; only the last stage waits for them.
"""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Collection, Iterable
from typing import Final

import msgspec
from django.db.models import Count, F, QuerySet

from besnik.store.models import Reader, Rollout, RolloutReader
from besnik.store.models.updates import STAGES
from besnik.store.rollouts.hearing import PASSING, TRIES_MAX, halt

UNDER_WAY: Final = frozenset({"told", "loading", "ready", "trying"})
# What a bad release could stop at the same time, whatever else is done; and of a shop's readers
# half, so that customers can go to another till while one starts anew.
AT_ONCE: Final = 8
# A reader answers an order at once, and says how far it is every few seconds while it loads.
ANSWER: Final = dt.timedelta(seconds=30)
STALL: Final = dt.timedelta(seconds=60)
# It decides within five minutes whether it keeps a release; three bad starts and the way back
# into the network come on top of that.
GONE: Final = dt.timedelta(minutes=15)
AGAIN: Final = dt.timedelta(seconds=60)  # after "busy" and its like

Online = Collection[tuple[str, str]]  # slugs of shop and reader


class Order(msgspec.Struct, frozen=True):
    """One reader to be told, by the slugs of its topics; ``row`` is its place in the roll-out."""

    row: int
    rollout: int
    shop: str
    reader: str
    number: int


def due(online: Online, now: dt.datetime, since: dt.datetime) -> list[Order]:
    """Carry every running roll-out on, and return who is to be told now.

    ``since``: from when on readers could be heard; silence before that means nothing.
    """
    orders = []
    running = Rollout.objects.filter(state="running", release__is_here=True)
    for rollout in running.select_related("release", "first"):
        _fill(rollout, now)
        rows = list(_rows(rollout))
        if _look_after(rows, online, now, since):
            _go_on(rollout, rows, online, now)
        if rollout.state == "running":
            orders += _orders(rollout, rows, online, now)
    return orders


def told(orders: Iterable[Order], now: dt.datetime) -> None:
    """Note that these were told, except for those that have answered already."""
    RolloutReader.objects.filter(pk__in=[order.row for order in orders], state="waiting").update(
        state="told", told_at=now, at=now, tries=F("tries") + 1
    )


def readers_of_stage(rollout: Rollout, stage: str) -> QuerySet[Reader]:
    """Return the readers of a stage, those of the stages before among them."""
    if stage == "reader":
        return Reader.objects.filter(pk=rollout.first_id)
    if stage == "shop":
        return Reader.objects.filter(shop=rollout.first.shop_id)
    return Reader.objects.filter(shop__program=rollout.program_id)


def has_it(row: RolloutReader) -> bool:
    """Tell whether the reader runs the release, or a newer one."""
    return row.state == "kept" or (row.state == "refused" and row.why == "number")


def _fill(rollout: Rollout, now: dt.datetime) -> None:
    """Take in the readers of the stage, also those that came after it began."""
    new = readers_of_stage(rollout, rollout.stage).exclude(rollouts__rollout=rollout)
    RolloutReader.objects.bulk_create(
        [RolloutReader(rollout=rollout, reader=reader, at=now) for reader in new],
        ignore_conflicts=True,
    )


def _rows(rollout: Rollout) -> QuerySet[RolloutReader]:
    return (
        RolloutReader.objects.filter(rollout=rollout)
        .select_related("reader__shop")
        .order_by("reader__shop__slug", "reader__slug")
    )


def _place(row: RolloutReader) -> tuple[str, str]:
    return row.reader.shop.slug, row.reader.slug


def _look_after(
    rows: list[RolloutReader], online: Online, now: dt.datetime, since: dt.datetime
) -> bool:
    """Give up on readers that say nothing any more; False if one is gone, which stops it all."""
    for row in rows:
        silence = now - max(row.at, since)
        state = _overdue(row, _place(row) in online, silence)
        if state == row.state:
            continue
        # Only from what it was: its own word may have come meanwhile.
        changed = RolloutReader.objects.filter(pk=row.pk, state=row.state, at=row.at)
        if not changed.update(state=state, at=now):
            continue
        row.state, row.at = state, now
        if state == "gone":
            halt(row, "gone", now)
            return False
    return True


def _overdue(row: RolloutReader, is_online: bool, silence: dt.timedelta) -> str:
    # One that is ready starts anew in seconds and says that it tries; on line and silent, it lost
    # its power before that.
    ready = STALL if is_online else GONE
    waits = {"told": ANSWER, "loading": STALL, "ready": ready, "trying": GONE}
    if row.state not in waits or silence <= waits[row.state]:
        return row.state
    if not is_online:
        return "gone" if row.state in ("ready", "trying") else "waiting"
    return "silent" if row.tries >= TRIES_MAX else "waiting"


def _go_on(rollout: Rollout, rows: list[RolloutReader], online: Online, now: dt.datetime) -> None:
    """Begin the next stage, or end the roll-out, if this one is through."""
    away = [row for row in rows if row.state == "waiting" and _place(row) not in online]
    waiting = [row for row in rows if row.state == "waiting" and row not in away]
    if waiting or any(row.state in UNDER_WAY for row in rows):
        _set(rollout, settled_at=None)
    elif not any(has_it(row) for row in rows):
        if not away:
            _set(rollout, state="stopped", why="nobody", ended_at=now)
    else:
        _set(rollout, settled_at=rollout.settled_at or now)
        _go_further(rollout, away, now)


def _go_further(rollout: Rollout, away: list[RolloutReader], now: dt.datetime) -> None:
    if rollout.settled_at is None:  # somebody has stopped it this moment
        return
    if STAGES.index(rollout.stage) >= STAGES.index(rollout.goal):
        if not away:
            _set(rollout, state="done", ended_at=now)
    elif now - rollout.settled_at >= dt.timedelta(seconds=rollout.pause_s):
        _set(rollout, stage=STAGES[STAGES.index(rollout.stage) + 1], settled_at=None)
        _fill(rollout, now)


def _set(rollout: Rollout, **changes: object) -> None:
    """Change a roll-out, unless somebody has stopped it meanwhile."""
    if all(getattr(rollout, name) == value for name, value in changes.items()):
        return
    if Rollout.objects.filter(pk=rollout.pk, state="running").update(**changes):
        for name, value in changes.items():
            setattr(rollout, name, value)
    else:
        rollout.state = "stopped"


def _orders(
    rollout: Rollout, rows: list[RolloutReader], online: Online, now: dt.datetime
) -> list[Order]:
    busy = Counter(row.reader.shop_id for row in rows if row.state in UNDER_WAY)
    sizes = dict(
        Reader.objects.filter(shop__in={row.reader.shop_id for row in rows})
        .values("shop")
        .annotate(readers=Count("pk"))
        .values_list("shop", "readers")
    )
    orders = []
    for row in rows:
        shop = row.reader.shop_id
        is_resting = row.why in PASSING and now - row.at < AGAIN
        if row.state != "waiting" or is_resting or _place(row) not in online:
            continue
        if busy.total() >= AT_ONCE or busy[shop] >= max(1, sizes[shop] // 2):
            continue
        busy[shop] += 1
        orders.append(Order(row.pk, rollout.pk, *_place(row), rollout.release.number))
    return orders


def withdrawn() -> set[tuple[str, str, int]]:
    """Return shop, reader and release number of those that load what was stopped by a reader."""
    rows = RolloutReader.objects.filter(
        state__in=("told", "loading"), rollout__state="stopped"
    ).exclude(rollout__why="person")
    return set(rows.values_list("reader__shop__slug", "reader__slug", "rollout__release__number"))
