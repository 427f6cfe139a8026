"""The sales that were, as the engine counts them: for the question what they would have cost."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from typing import Final

import msgspec

from besnik.loyalty.metrics import Window
from besnik.loyalty.preview import Past, Preview, Replay
from besnik.loyalty.program import Program
from besnik.loyalty.sale import Line, Sale, Tender
from besnik.store.measures.windows import moments
from besnik.store.models import Sale as SaleRow
from besnik.store.models import SaleLine, SaleTender

AT_ONCE: Final = 500


def past_sales(program: int, window: Window) -> Iterator[Past]:
    """Yield the members' sales of the window, the oldest first, without what came back."""
    first, after = moments(window)
    rows = SaleRow.objects.filter(
        program=program, member__isnull=False, at__gte=first, at__lt=after
    ).select_related("shop")
    last_at, last_pk = first, 0
    while True:
        # By position and not by one long cursor: the tills go on writing meanwhile.
        chunk = list(
            rows.filter(at__gte=last_at)
            .exclude(at=last_at, pk__lte=last_pk)
            .order_by("at", "pk")[:AT_ONCE]
        )
        if not chunk:
            return
        yield from _as_counted(chunk)
        last_at, last_pk = chunk[-1].at, chunk[-1].pk


def how_many(program: int, window: Window) -> int:
    """Return how many sales `past_sales` goes through."""
    first, after = moments(window)
    return SaleRow.objects.filter(
        program=program, member__isnull=False, at__gte=first, at__lt=after
    ).count()


def compare(
    programs: Sequence[Program], window: Window, told: Callable[[int], None]
) -> list[Preview]:
    """Return what each of ``programs`` would have given for the members' sales of the window.

    Their rules are counted as if they had held all the time. ``told`` is called with the number
    of sales counted so far.
    """
    replays = [Replay(_always(program, window.first)) for program in programs]
    done = 0
    for done, item in enumerate(past_sales(programs[0].id, window), start=1):
        for replay in replays:
            replay.count(item)
        if done % AT_ONCE == 0:
            told(done)
    told(done)
    return [replay.result() for replay in replays]


def _always(program: Program, first: dt.date) -> Program:
    newest = tuple(
        msgspec.structs.replace(rules, first_day=first, last_day=None)
        for rules in program.rule_sets[-1:]
    )
    return msgspec.structs.replace(program, rule_sets=newest, sunset=None)


def _as_counted(rows: list[SaleRow]) -> Iterator[Past]:
    lines: dict[int, list[Line]] = defaultdict(list)
    tenders: dict[int, list[Tender]] = defaultdict(list)
    by_sale = {row.pk: row for row in rows}
    for line in SaleLine.objects.filter(sale__in=by_sale, returned__isnull=True):
        lines[line.sale_id].append(
            Line(line.line, line.amount_minor, line.quantity, line.category, line.reward)
        )
    for tender in SaleTender.objects.filter(sale__in=by_sale):
        tenders[tender.sale_id].append(Tender(tender.kind, tender.amount_minor))
    returned = set(
        SaleLine.objects.filter(sale__in=by_sale, returned__isnull=False).values_list(
            "sale", flat=True
        )
    )
    for row in rows:
        # A receipt without lines is one amount, as a cashier types it.
        if not lines[row.pk] and row.pk not in returned:
            lines[row.pk].append(Line("1", row.amount_minor))
        if lines[row.pk] and row.member_id is not None:
            sale = Sale(
                row.at, tuple(lines[row.pk]), tuple(tenders[row.pk]), row.shop.slug, row.channel
            )
            yield Past(row.member_id, sale)
