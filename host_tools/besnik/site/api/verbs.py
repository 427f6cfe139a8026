"""The verbs as addresses: one table, from which the API and its document are made."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from typing import Any, Final, NamedTuple

import msgspec
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext as _

from besnik.site.api.problems import RequestError
from besnik.store import till
from besnik.store.till import asks, results
from besnik.store.till.place import Place

KEY_HEADER: Final = "Idempotency-Key"
REPLAYED_HEADER: Final = "Idempotent-Replayed"
_KEY_MAX: Final = 80


class Verb(NamedTuple):
    """One verb: its function, what it is asked with, what it answers; ``reads``: without a key."""

    name: str
    summary: str
    function: Callable[..., results.Result]
    ask: type[msgspec.Struct]
    result: type[results.Result]
    reads: bool = False


VERBS: Final = (
    Verb("search", "Find a member", till.search, asks.Search, results.Found, reads=True),
    Verb("inquire", "What a member has", till.inquire, asks.Inquire, results.Inquiry, reads=True),
    Verb(
        "preview",
        "What a sale would earn",
        till.preview,
        asks.Preview,
        results.Previewed,
        reads=True,
    ),
    Verb("signup", "Make a member", till.signup, asks.Signup, results.Joined),
    Verb("accrue", "Record a sale", till.accrue, asks.Accrue, results.Accrued),
    Verb("attach", "Say whose a sale is", till.attach, asks.Attach, results.Accrued),
    Verb("move", "Give a sale to another member", till.move, asks.Move, results.Moved),
    Verb("redeem", "Use points or a coupon", till.redeem, asks.Redeem, results.Redeemed),
    Verb("hold", "Reserve points for a sale", till.hold, asks.Redeem, results.Held),
    Verb("commit", "Use what is reserved", till.commit, asks.Commit, results.Committed),
    Verb("release", "Give back what is reserved", till.release, asks.Release, results.Released),
    Verb("reverse", "Take back a booking", till.reverse, asks.Reverse, results.Reversed),
    Verb("refund", "Take back lines of a receipt", till.refund, asks.Refund, results.Refunded),
    Verb("transfer", "Points to another member", till.transfer, asks.Transfer, results.Transferred),
    Verb("goodwill", "Give points away", till.goodwill, asks.Goodwill, results.Adjusted),
    Verb("topup", "Put money on a card", till.topup, asks.TopUp, results.Stored),
    Verb("pay", "Pay with the money on a card", till.pay, asks.Pay, results.Stored),
    Verb("give-coupon", "Issue a coupon", till.give_coupon, asks.GiveCoupon, results.CouponGiven),
    Verb(
        "buy-membership",
        "Sell the paid membership",
        till.buy_membership,
        asks.BuyMembership,
        results.Bought,
    ),
    Verb(
        "end-membership",
        "Take the paid membership back",
        till.end_membership,
        asks.EndMembership,
        results.Ended,
    ),
)


def now() -> dt.datetime:
    """Return the moment at which a request is answered."""
    return dt.datetime.now(dt.UTC)


def view_of(verb: Verb) -> Callable[[HttpRequest], HttpResponse]:
    """Return the view that answers requests for a verb."""

    def view(request: HttpRequest) -> HttpResponse:
        ask = _read(request, verb.ask)
        place = Place.of_key(request.auth, now())  # type: ignore[attr-defined]  # ninja sets it
        named: dict[str, Any] = {} if verb.reads else {"key": _key(request)}
        done = verb.function(place, ask, **named)
        response = HttpResponse(msgspec.json.encode(done), content_type="application/json")
        if done.repeat:
            response.headers[REPLAYED_HEADER] = "true"
        return response

    view.__name__ = verb.name
    view.__doc__ = (verb.function.__doc__ or "").replace(" TillError.", "")
    return view


def _read(request: HttpRequest, kind: type[msgspec.Struct]) -> msgspec.Struct:
    try:
        return msgspec.json.decode(request.body, type=kind)
    except msgspec.ValidationError as error:
        # "Expected `int`, got `str` - at `$.lines[0].amount_minor`"
        said, _at, where = str(error).partition(" - at ")
        text = _("The request is not as it should be: %(said)s.") % {"said": said}
        raise RequestError(422, "fields", text, where.strip("`")) from error
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        text = _("The body of the request is no JSON. Send an object as openapi.json says.")
        raise RequestError(400, "no_json", text) from error


def _key(request: HttpRequest) -> str:
    # draft-ietf-httpapi-idempotency-key-header-07: a string in quotes; many send it without.
    key = request.headers.get(KEY_HEADER, "").strip().strip('"')
    if not key or len(key) > _KEY_MAX or not key.isprintable():
        text = _(
            "Send the header Idempotency-Key: up to 80 characters that only this request has, so"
            " that it can be sent again without being done twice."
        )
        raise RequestError(400, "key_missing", text)
    return key
