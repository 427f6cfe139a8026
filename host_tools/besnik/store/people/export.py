"""Everything that is held about a member, for the member: as JSON, and as a table."""

from __future__ import annotations

import csv
import datetime as dt
import io
from collections.abc import Iterator
from typing import Any, Final

import msgspec

from besnik.store import books
from besnik.store.models import (
    Coupon,
    Lot,
    Member,
    Person,
    Posting,
    Redemption,
    Sale,
    SaleLine,
    SaleTender,
    Tap,
    TierHeld,
)

FORMAT: Final = "besnik member export 1"

Row = dict[str, Any]


class Export(msgspec.Struct, frozen=True, kw_only=True):
    """What is held. Times are UTC, amounts in whole units, money in minor units of currencies."""

    format: str = FORMAT
    made_at: dt.datetime
    program: str
    member: Row
    person: Row
    consents: list[Row]
    cards: list[Row]
    balances: dict[str, Row]
    tier: Row
    history: list[Row]
    lots: list[Row]
    purchases: list[Row]
    rewards: list[Row]
    coupons: list[Row]
    visits: list[Row]
    notes: list[Row]
    comments: list[Row]
    gifts: list[Row]


def export(member: Member, at: dt.datetime) -> Export:
    """Return everything that is held about ``member``."""
    sides = {
        unit: msgspec.to_builtins(line) for unit, line in books.balances_of(member.pk, at).items()
    }
    return Export(
        made_at=at,
        program=member.program.name,
        member={
            "ref": member.ref,
            "name": member.name,
            "language": member.language,
            "status": member.status,
            "since": member.created_at,
        },
        person=_person(member),
        consents=_rows(member.consents.order_by("at", "pk"), "purpose given text source at"),
        cards=_rows(member.cards.order_by("pk"), "kind data state originality created_at"),
        balances=sides,
        tier=next(iter(_rows(TierHeld.objects.filter(member=member), "level since until")), {}),
        history=_rows(
            Posting.objects.filter(account__member=member).order_by("pk"),
            "entry_id entry__kind entry__occurred_at entry__created_at entry__source entry__reason"
            " account__unit account__account amount",
        ),
        lots=_rows(
            Lot.objects.filter(member=member).order_by("pk"),
            "unit amount main held spent expired opened_at available_at expires_at",
        ),
        purchases=_purchases(member),
        rewards=_rows(
            Redemption.objects.filter(member=member).order_by("pk"), "title reward off_minor at"
        ),
        coupons=_rows(
            Coupon.objects.filter(member=member).order_by("pk"), "reward tail state until issued_at"
        ),
        visits=_rows(
            Tap.objects.filter(member=member).order_by("pk"),
            "reader__shop__name kind data outcome reason received_at",
        ),
        notes=_rows(member.notes.order_by("pk"), "text at"),
        comments=_rows(member.comments.order_by("pk"), "rating text at"),
        gifts=_rows(member.gifts.order_by("pk"), "title source given_at"),
    )


def as_json(made: Export) -> bytes:
    """Return an export as JSON."""
    return msgspec.json.format(msgspec.json.encode(made), indent=2)


def as_csv(made: Export) -> bytes:
    """Return an export as one table of facts: section, number in it, field, value.

    UTF-8 with a byte order mark, as spreadsheets expect it; a text that a spreadsheet would take
    for a formula has an apostrophe before it.
    """
    out = io.StringIO(newline="")
    writer = csv.writer(out)
    writer.writerow(("section", "number", "field", "value"))
    for section, number, field, value in _facts(msgspec.to_builtins(made)):
        writer.writerow((section, number, field, _cell(value)))
    return out.getvalue().encode("utf-8-sig")


def _facts(made: Row) -> Iterator[tuple[str, int, str, object]]:
    for section, held in made.items():
        if isinstance(held, dict):
            for field, value in held.items():
                yield section, 1, field, value
        elif isinstance(held, list):
            for number, row in enumerate(held, start=1):
                for field, value in row.items():
                    yield section, number, field, value
        else:
            yield section, 1, section, held


def _cell(value: object) -> str:
    if isinstance(value, dict | list):
        return msgspec.json.encode(value).decode()
    text = "" if value is None else str(value)
    if text[:1] in "=@\t\r" or (text[:1] in "+-" and not text[1:2].isdecimal()):
        return f"'{text}" if text else ""
    return text


def _rows(query: Any, fields: str) -> list[Row]:
    """Return the rows of a query as plain values under the last part of each field's name."""
    names = fields.split()
    keys = [
        name.replace("entry__", "").replace("account__", "").replace("__", "_") for name in names
    ]
    return [dict(zip(keys, row, strict=True)) for row in query.values_list(*names)]


def _person(member: Member) -> Row:
    found = _rows(Person.objects.filter(member=member), "phone email birthday motive tags")
    return found[0] if found else {}


def _purchases(member: Member) -> list[Row]:
    sales = Sale.objects.filter(member=member).select_related("shop").order_by("pk")
    made = {
        sale.pk: {
            "receipt": sale.receipt,
            "shop": sale.shop.name,
            "at": sale.at,
            "amount_minor": sale.amount_minor,
            "earned": sale.earned,
            "lines": [],
            "tenders": [],
        }
        for sale in sales
    }
    lines = SaleLine.objects.filter(sale__member=member).order_by("pk")
    for row in _rows(lines, "sale_id line title category quantity amount_minor reward"):
        made[row.pop("sale_id")]["lines"].append(row)
    tenders = SaleTender.objects.filter(sale__member=member).order_by("pk")
    for row in _rows(tenders, "sale_id kind amount_minor"):
        made[row.pop("sale_id")]["tenders"].append(row)
    return list(made.values())
