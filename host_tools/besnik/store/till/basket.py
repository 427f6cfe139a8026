"""Between the lines of a request, those the engine counts, and those in the database."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Sequence
from typing import Final

import msgspec

from besnik.loyalty.program import Program
from besnik.loyalty.rules import PerVisit, RuleSet
from besnik.loyalty.sale import Line, Sale, Tender
from besnik.store.models import Sale as SaleRow
from besnik.store.models import SaleLine, SaleReturn, SaleTender
from besnik.store.till.asks import Basket, Item, Payment
from besnik.store.till.errors import TillError
from besnik.store.till.place import Place

# A till's clock may be a little ahead of ours.
AHEAD: Final = dt.timedelta(minutes=5)
OLDEST: Final = dt.timedelta(days=366)


def items_of(basket: Basket) -> tuple[Item, ...]:
    """Return the lines of a basket; TillError if there are none, or two with one id."""
    lines = basket.lines
    if basket.amount_minor is not None:
        if lines:
            raise TillError("no_lines")
        lines = (Item(id="1", amount_minor=basket.amount_minor),)
    if not lines:
        raise TillError("no_lines")
    seen: set[str] = set()
    for item in lines:
        if item.id in seen:
            raise TillError("same_lines", line=item.id)
        seen.add(item.id)
    return lines


def moment_of(basket: Basket, place: Place) -> dt.datetime:
    """Return when a sale was; TillError for one to come, or longer ago than a year."""
    at = basket.at or place.now
    if at > place.now + AHEAD:
        raise TillError("future")
    if at < place.now - OLDEST:
        raise TillError("too_old")
    return at.astimezone(dt.UTC)


def sale_of(
    items: Iterable[Item], payments: Iterable[Payment], at: dt.datetime, shop: str, channel: str
) -> Sale:
    """Return the sale as the engine counts it."""
    return Sale(
        at,
        tuple(line_of(item) for item in items),
        tuple(Tender(payment.kind, payment.amount_minor) for payment in payments),
        shop,
        channel,
    )


def line_of(item: Item) -> Line:
    """Return an item as the engine counts it."""
    return Line(item.id, item.amount_minor, item.quantity, item.category, item.reward)


def check_payments(items: Sequence[Item], payments: Sequence[Payment]) -> None:
    """TillError unless the payments, if any are named, come to what the receipt costs."""
    total = sum(item.amount_minor for item in items)
    paid = sum(payment.amount_minor for payment in payments)
    if payments and paid != total:
        raise TillError("tenders", paid=paid, total=total)


def stored_sale(row: SaleRow) -> Sale:
    """Return the sale of a row as it was counted, with all its lines."""
    lines = SaleLine.objects.filter(sale=row).order_by("pk")
    tenders = SaleTender.objects.filter(sale=row).order_by("pk")
    return Sale(
        row.at,
        tuple(
            Line(line.line, line.amount_minor, line.quantity, line.category, line.reward)
            for line in lines
        ),
        tuple(Tender(tender.kind, tender.amount_minor) for tender in tenders),
        row.shop.slug,
        row.channel,
    )


def returned_of(row: SaleRow) -> set[str]:
    """Return the ids of the lines that came back."""
    found = SaleReturn.objects.filter(line__sale=row).values_list("line__line", flat=True)
    return set(found)


def counting_of(sale: Sale, returned: Iterable[str]) -> int:
    """Return what a sale still costs."""
    return sale.without(set(returned)).earning_minor()


def write_lines(row: SaleRow, items: Iterable[Item], payments: Iterable[Payment]) -> None:
    """Write the lines and payments of a sale."""
    SaleLine.objects.bulk_create(
        SaleLine(
            sale=row,
            line=item.id,
            title=item.title,
            category=item.category,
            quantity=item.quantity,
            amount_minor=item.amount_minor,
            reward=item.reward,
        )
        for item in items
    )
    SaleTender.objects.bulk_create(
        SaleTender(sale=row, kind=payment.kind, amount_minor=payment.amount_minor)
        for payment in payments
    )


def without_visits(program: Program, rules: RuleSet | None) -> Program:
    """Return the program for a sale whose visit the reader has counted already.

    A rule by visit that asks for no amount gave at the tap what it gives.
    """
    if rules is None or not any(_at_tap(rule) for rule in rules.rules):
        return program
    kept = msgspec.structs.replace(
        rules, rules=tuple(rule for rule in rules.rules if not _at_tap(rule))
    )
    sets = tuple(kept if each.version == rules.version else each for each in program.rule_sets)
    return msgspec.structs.replace(program, rule_sets=sets)


def _at_tap(rule: object) -> bool:
    return isinstance(rule, PerVisit) and rule.from_minor == 0
