"""A purchase: the amount that was typed, what it would earn, and recording it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from django.utils.translation import gettext as _

from besnik.site import figures, formats
from besnik.site.board import PRESENT_FOR
from besnik.site.cashier import words
from besnik.site.cashier.done import Done
from besnik.site.cashier.menu import CASH, tender_text, tenders_of
from besnik.site.cashier.serving import Serving
from besnik.store import till
from besnik.store.models import Sale, Tap
from besnik.store.till.asks import Accrue, Attach, Payment, Preview, Who


class Typed(NamedTuple):
    """What a cashier typed: ``amount`` as it stands, the way of paying, the holds to settle.

    ``sure`` is the amount that was asked about and said to be right.
    """

    amount: str
    tender: str = CASH
    holds: tuple[str, ...] = ()
    sure: str = ""


class Ahead(NamedTuple):
    """What a purchase would earn, or ``tone`` wrong and what to write instead."""

    text: str
    tone: str = ""


class UnsureError(ValueError):
    """The amount is far above the usual ones: ask before it is booked. The text asks."""


def ahead(serving: Serving, typed: Typed) -> Ahead:
    """Return "+37 points (55 with our card)" for what is being typed."""
    currency = serving.currency
    try:
        amount_minor = figures.parse_typed_amount(typed.amount, currency)
    except figures.TypedError as error:
        return Ahead(str(error), "wrong")
    if amount_minor < 1 or serving.member is None:
        return Ahead("")
    ways = [way for way, _text in tenders_of(serving.program)]
    first = typed.tender if typed.tender in ways else CASH
    asked = Preview(
        amount_minor=amount_minor,
        who=Who(member=serving.member.ref),
        tap=_visit(serving),
        tenders=tuple(dict.fromkeys((first, *ways))),
    )
    earned = till.preview(serving.place, asked).earned
    if not words.gains(earned[first], currency):
        return Ahead(_("This amount earns nothing."))
    others = [
        _("%(earned)s with %(tender)s") % {"earned": more, "tender": tender_text(way)}
        for way, given in earned.items()
        if (more := _more(given, earned[first]))
    ]
    said = words.gains(earned[first], currency)
    return Ahead(f"{said} ({', '.join(others)})" if others else said)


def buy(serving: Serving, typed: Typed, key: str) -> Done:
    """Record the purchase; TypedError, UnsureError, TillError."""
    currency = serving.currency
    amount_minor = figures.parse_typed_amount(typed.amount, currency)
    if amount_minor < 1:
        raise figures.TypedError(_("Write an amount above zero."))
    shown = figures.amount(amount_minor, currency)
    if typed.sure != str(amount_minor):
        _ask_if_unusual(serving, amount_minor, shown)
    member = serving.member
    ask = Accrue(
        receipt=receipt_of(key),
        amount_minor=amount_minor,
        tenders=(Payment(kind=typed.tender[:16] or CASH, amount_minor=amount_minor),),
        who=Who(member=member.ref) if member else None,
        tap=_visit(serving, key),
        holds=typed.holds,
    )
    made = till.accrue(serving.place, ask, key=key)
    undo = f"entry-{made.entry}" if made.entry else ""
    if member is None:
        return Done(_("%(amount)s waits for the next card.") % {"amount": shown})
    return Done(
        words.bought(made, member.name, shown, currency),
        extra=words.beside(made),
        undo=undo,
        code=" ".join(coupon.code for coupon in made.coupons),
        member=member.ref,
    )


def join(serving: Serving, receipt: str, key: str) -> Done:
    """Give a purchase that waits for a card to the member who is served; TillError."""
    member = serving.member
    assert member is not None
    ask = Attach(receipt=receipt[:40] or "-", who=Who(member=member.ref), tap=_visit(serving, key))
    made = till.attach(serving.place, ask, key=key)
    return Done(
        words.bought(made, member.name, receipt, serving.currency),
        extra=words.beside(made),
        undo=f"entry-{made.entry}" if made.entry else "",
        code=" ".join(coupon.code for coupon in made.coupons),
        member=member.ref,
    )


def _more(given: Mapping[str, int], first: Mapping[str, int]) -> str:
    """Return the figures in which ``given`` is more than ``first``."""
    more = [given[unit] for unit in given if given[unit] > first.get(unit, 0)]
    return ", ".join(map(formats.number, more))


def _ask_if_unusual(serving: Serving, amount_minor: int, shown: str) -> None:
    who = Who(member=serving.member.ref) if serving.member else None
    if till.preview(serving.place, Preview(amount_minor=amount_minor, who=who)).unusual:
        raise UnsureError(
            _("%(amount)s is far more than usual here. Is it right?") % {"amount": shown}
        )


def _visit(serving: Serving, key: str = "") -> int | None:
    """Return the visit this purchase belongs to; a second purchase is none of its own."""
    tap = serving.tap
    if tap is None and serving.member is not None:
        here = Tap.objects.filter(reader__till=serving.till, member=serving.member)
        lately = here.filter(outcome="accepted", received_at__gt=serving.now - PRESENT_FOR)
        tap = lately.order_by("-received_at").first()
    if tap is None:
        return None
    other = Sale.objects.filter(tap=tap).exclude(receipt=receipt_of(key))
    return None if other.exists() else tap.pk


def receipt_of(key: str) -> str:
    """Return the number of the receipt that a sheet with this key records."""
    return f"till-{key}"[:40]
