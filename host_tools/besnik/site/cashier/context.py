"""What the templates of a till's screen need."""

from __future__ import annotations

import secrets
from typing import Any, Final

import msgspec
from django.urls import reverse

from besnik.loyalty.money import Currency
from besnik.site import formats
from besnik.site.access import at_least
from besnik.site.board import Board, Gap, board
from besnik.site.cashier.crm_file import crm_file
from besnik.site.cashier.done import Done
from besnik.site.cashier.enrolling import EnrolSheet, Source
from besnik.site.cashier.menu import ACTS, OF_REFUSED, tenders_of
from besnik.site.cashier.serving import by_tap
from besnik.store import programs
from besnik.store.models import Member, Role, Staff, Till
from besnik.store.people import mask_in

_DIGITS: Final = "123456789"


def till_context(
    till: Till,
    staff: Staff,
    csrf_token: str,
    *,
    gap: Gap | None = None,
    served: Member | None = None,
    by: str = "",
    done: Done | None = None,
) -> dict[str, Any]:
    """Return what the templates of a till's screen need; ``gap`` and ``served`` as for `board`.

    ``by`` says how a chosen member was found. Each screen has a key of its own: a sheet that is
    sent twice is done once.
    """
    shown = _for_role(board(till, gap=gap, served=served), staff)
    program = programs.current(till.shop.program_id)
    tap = shown.tap
    return {
        "till": till,
        "board": shown,
        "source": Source(tap.id, shown.uid, tap.finding) if tap and shown.view == "new" else None,
        "form": EnrolSheet(),
        "stream": reverse("cashier-events", args=[till.shop.slug, till.slug]),
        "csrf_token": csrf_token,
        "key": new_key(),
        "by": by or (by_tap(tap.id) if tap and shown.member else ""),
        "may_act": at_least(staff, Role.CASHIER),
        "currency": program.currency,
        "keypad": keypad(program.currency),
        "tenders": tenders_of(program),
        "acts": [act for act in ACTS if shown.may_serve or act.url in OF_REFUSED],
        "done": done,
    }


def new_key() -> str:
    """Return the key of one screen: what is sent with it is done once."""
    return secrets.token_hex(8)


def keypad(currency: Currency) -> list[str]:
    """Return the keys of the pad of digits, in the digits of the page."""
    mark = {"en": ".", "fa": "٫"}.get(formats.language(), ",")
    keys = (*_DIGITS, mark if currency.exponent else "000", "0")
    return [formats.localized_digits(key) for key in keys]


def may_read_notes(staff: Staff) -> bool:
    """Tell whether somebody reads what was written about members; a cashier sees the tags."""
    return at_least(staff, Role.LEAD)


def _for_role(shown: Board, staff: Staff) -> Board:
    """Return the board with all and only what ``staff`` may read; a phone in a note nobody."""
    member = shown.member
    if member is None:
        return shown
    notes = tuple(map(mask_in, member.notes)) if may_read_notes(staff) else ()
    return msgspec.structs.replace(
        shown,
        member=msgspec.structs.replace(member, notes=notes),
        crm=crm_file(member.ref, staff),
    )
