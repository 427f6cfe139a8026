"""Every reader of the installation with what it last said, for the owner's page."""

from __future__ import annotations

import datetime as dt
from typing import Any

import msgspec
from django.db.models import OuterRef, QuerySet, Subquery

from besnik.site.access import readers_of
from besnik.site.faults import GRAVE, Fault, Report, Signal, State
from besnik.site.updates import Step, newest_steps
from besnik.store.models import Reader, ReaderHealth, ReaderInfo, RolloutReader, Staff, Tap


class ReaderLine(msgspec.Struct, frozen=True):
    """One reader as the page shows it; ``info`` and ``health`` are rows, None if never said.

    ``update`` is how far it is with the newest release it was to get, None if there was none.
    """

    slug: str
    name: str
    till: str
    shop: str
    state: State
    since: dt.datetime | None
    heard_at: dt.datetime | None
    last_tap: dt.datetime | None
    faults: tuple[Fault, ...]
    signal: Signal | None
    waiting_for_s: int
    info: ReaderInfo | None
    health: ReaderHealth | None
    update: Step | None

    @property
    def grave(self) -> frozenset[Fault]:
        """Those of its faults that cost taps or stop it."""
        return GRAVE.intersection(self.faults)


class Summary(msgspec.Struct, frozen=True):
    """How many readers there are, are on line, and which need somebody to look at them."""

    total: int
    online: int
    faulty: tuple[ReaderLine, ...]


def fleet(staff: Staff, now: dt.datetime) -> list[ReaderLine]:
    """Return the readers of a person's shops by shop, till and name.

    Three queries, however many there are.
    """
    return _lines(_readers(staff), now)


def one(staff: Staff, slug: str, now: dt.datetime) -> ReaderLine | None:
    """Return one reader of a person's shops; None if there is no such one."""
    return next(iter(_lines(_readers(staff).filter(slug=slug), now)), None)


def _lines(readers: QuerySet[Reader], now: dt.datetime) -> list[ReaderLine]:
    found: list[Any] = list(readers)
    steps = newest_steps(reader.newest_step for reader in found)
    return [_line(reader, now, steps.get(reader.pk)) for reader in found]


def summary(lines: list[ReaderLine]) -> Summary:
    """Return the sum of the readers."""
    online = sum(line.state == "online" for line in lines)
    return Summary(len(lines), online, tuple(line for line in lines if line.faults))


def _readers(staff: Staff) -> QuerySet[Reader]:
    newest = Tap.objects.filter(reader=OuterRef("pk")).order_by("-received_at")
    step = RolloutReader.objects.filter(reader=OuterRef("pk")).order_by("-pk")
    return (
        readers_of(staff)
        .select_related("till__shop", "state", "info", "health")
        .annotate(
            last_tap=Subquery(newest.values("received_at")[:1]),
            newest_step=Subquery(step.values("pk")[:1]),
        )
        .order_by("till__shop__name", "till__name", "name", "slug")
    )


def _line(reader: Any, now: dt.datetime, update: Step | None) -> ReaderLine:
    # Of a reverse one-to-one that is not there Django says AttributeError.
    state, info, health = (getattr(reader, name, None) for name in ("state", "info", "health"))
    report = Report(
        said=state and state.state,
        said_at=state and state.since,
        reset_cause=info and info.reset_cause,
        started_at=info and info.since,
        **_numbers(health),
    )
    since = report.heard_at if report.state(now) == "silent" else report.said_at
    waiting = now - health.outbox_since if health and health.outbox_since else dt.timedelta()
    return ReaderLine(
        slug=reader.slug,
        name=reader.name,
        till=reader.till.name,
        shop=reader.till.shop.name,
        state=report.state(now),
        since=since,
        heard_at=report.heard_at,
        last_tap=reader.last_tap,
        faults=tuple(report.faults(now)),
        signal=report.signal,
        waiting_for_s=int(waiting.total_seconds()),
        info=info,
        health=health,
        update=update,
    )


def _numbers(health: ReaderHealth | None) -> dict[str, Any]:
    if health is None:
        return {}
    names = set(Report.__struct_fields__) & {field.name for field in health._meta.fields}
    return {"health_at": health.at, **{name: getattr(health, name) for name in names}}
