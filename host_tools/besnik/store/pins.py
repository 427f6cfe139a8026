"""PINs: what a shift lead types at the till to approve what a cashier may not do alone."""

from __future__ import annotations

import datetime as dt
import unicodedata
from itertools import pairwise
from typing import Final

from django.contrib.auth.hashers import check_password, make_password
from django.db import transaction
from django.db.models import Case, F, Q, QuerySet, Value, When
from django.utils import timezone

from besnik.store import audit
from besnik.store.models import Staff

TRIES: Final = 5
WAIT: Final = dt.timedelta(minutes=10)


class StaffError(ValueError):
    """What cannot be done; ``code`` is a stable word, the text says what to do."""

    def __init__(self, code: str, text: str) -> None:
        super().__init__(text)
        self.code = code


class PinError(StaffError):
    """A PIN that does not count: ``pin_wrong``, ``pin_none`` or ``pin_locked``."""


def check_pin(staff: Staff, pin: str) -> bool:
    """Return True if ``pin`` is that person's; else PinError, and after five in a row a pause.

    Each try is counted before it is looked at, so tries at once are no more than tries in a row;
    therefore it stands outside of any transaction (RuntimeError inside one).
    """
    now = timezone.now()
    row = Staff.objects.filter(pk=staff.pk, is_active=True)
    with transaction.atomic(durable=True):
        counted = _count(row, now)
        known = row.values_list("pin", "pin_failures").first()
    if not counted:
        raise PinError("pin_locked", "too many wrong PINs: wait ten minutes, or ask somebody else")
    pin_hash, failures = known or ("", 0)
    if not pin_hash:
        row.update(pin_failures=0, pin_locked_until=None)
        raise PinError("pin_none", "this person has no PIN: a manager can set one")
    if check_password(digits(pin), pin_hash):
        row.update(pin_failures=0, pin_locked_until=None)
        return True
    if failures >= TRIES:
        audit.record(staff, "staff.pin_locked", f"staff:{staff.pk}")
    raise PinError("pin_wrong", "this is not the PIN: try again")


def _count(row: QuerySet[Staff], now: dt.datetime) -> int:
    """Count one try of a person that is not paused, and pause at the last; return 1, or 0."""
    is_over = Q(pin_locked_until__lte=now)
    is_last = Q(pin_locked_until=None, pin_failures__gte=TRIES - 1)
    return row.filter(is_over | Q(pin_locked_until=None)).update(
        pin_failures=Case(When(is_over, then=1), default=F("pin_failures") + 1),
        pin_locked_until=Case(When(is_last, then=Value(now + WAIT)), default=None),
    )


def digits(typed: str) -> str:
    """Return what was typed without spaces and with its digits as 0 to 9, of whatever script."""
    return "".join(str(unicodedata.decimal(each, each)) for each in typed if not each.isspace())


def hashed(pin: str) -> str:
    """Return what is kept of a PIN, "" of none."""
    return make_password(pin) if pin else ""


def check_rules(pin: str) -> None:
    """StaffError unless a PIN may be used."""
    if not (pin.isascii() and pin.isdigit() and 4 <= len(pin) <= 8):
        raise StaffError("pin", "use 4 to 8 digits")
    steps = {int(b) - int(a) for a, b in pairwise(pin)}
    if steps in ({0}, {1}, {-1}):
        raise StaffError("pin_weak", "this PIN is guessed first: use other digits")
