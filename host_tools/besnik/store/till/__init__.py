"""The till: every verb as a plain function, for the API and for the cashier's pages alike.

Each takes the `Place` it is asked from and a struct of `besnik.store.till.asks`, and returns one
of `besnik.store.till.results`; `TillError` says what to do instead. With a ``key`` a verb that
changes anything is done once, and the same request gets the same answer.
"""

from __future__ import annotations

from besnik.store.till.coupons import coupon_code, give_coupon
from besnik.store.till.errors import TillError
from besnik.store.till.giving import goodwill, transfer
from besnik.store.till.joining import buy_membership, end_membership, signup
from besnik.store.till.looking import inquire, search
from besnik.store.till.money import pay, topup
from besnik.store.till.moving import move
from besnik.store.till.place import Place
from besnik.store.till.previewing import preview
from besnik.store.till.refunds import refund
from besnik.store.till.selling import accrue, attach
from besnik.store.till.spending import commit, hold, redeem, release
from besnik.store.till.undo import reverse

__all__ = [
    "Place",
    "TillError",
    "accrue",
    "attach",
    "buy_membership",
    "commit",
    "coupon_code",
    "end_membership",
    "give_coupon",
    "goodwill",
    "hold",
    "inquire",
    "move",
    "pay",
    "preview",
    "redeem",
    "refund",
    "release",
    "reverse",
    "search",
    "signup",
    "topup",
    "transfer",
]
