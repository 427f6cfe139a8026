"""What a till's screen shows: the newest tap and what it means for the cashier."""

from __future__ import annotations

import datetime as dt
from typing import Final, Literal, cast

import msgspec

from besnik.contract import Reason
from besnik.store.members import MemberFile, TapFile, VisitLine, member_file, tap_file
from besnik.store.models import Card, Reader, Tap, Till

# A tap older than this is no longer the person who stands at the till.
PRESENT_FOR: Final = dt.timedelta(minutes=5)
EARLIER: Final = 4

View = Literal[
    "waiting",
    "accepted",
    "blocked",
    "refused",
    "too_soon",
    "new",
    "enrolled",
    "phone",
    "unsupported",
    "unproved",
    "error",
]
_VIEWS: Final[dict[str, View]] = {
    "ok": "accepted",
    "blocked": "blocked",
    "too_soon": "too_soon",
    "unknown": "new",
    "random_id": "phone",
    "error": "error",
}


class EarlierTap(msgspec.Struct, frozen=True):
    """One line of what happened before at this till; ``name`` is empty for an unknown card."""

    name: str
    reason: Reason
    at: dt.datetime


class Board(msgspec.Struct, frozen=True):
    """The screen of one till.

    ``view`` decides what is drawn; ``key`` changes with anything on the screen, ``said`` with
    what is said about the shown tap; ``uid`` is the card's upper-case hex, shown only where
    nobody is named yet.
    """

    view: View
    key: str
    said: str = ""
    tap: TapFile | None = None
    member: MemberFile | None = None
    uid: str = ""
    earlier: tuple[EarlierTap, ...] = ()

    @property
    def gained(self) -> int:
        """The stamps this tap gave; 0 when it gave none."""
        visits = self.member.visits if self.member and self.view == "accepted" else ()
        return visits[0].amount if visits else 0

    @property
    def before(self) -> tuple[VisitLine, ...]:
        """The member's visits before this one."""
        if self.member is None:
            return ()
        return self.member.visits[1:] if self.view == "accepted" else self.member.visits


def board(till: Till, now: dt.datetime | None = None) -> Board:
    """Return what the screen of ``till`` shows at ``now``."""
    now = now or dt.datetime.now(dt.UTC)
    taps = newest_taps(till, EARLIER + 1)
    newest = taps[0].pk if taps else 0
    present = _present(taps, now)
    if present is None:
        return Board("waiting", f"{newest}-waiting", earlier=_lines(taps[:EARLIER]))
    tap, shown = present
    view, member = _meaning(tap, shown)
    said = f"{shown.id}-{view}"
    return Board(
        view=view,
        key=f"{newest}-{said}",
        said=said,
        tap=shown,
        member=member,
        uid=tap.data,
        earlier=_lines([other for other in taps if other is not tap][:EARLIER]),
    )


def newest_taps(till: Till, count: int) -> list[Tap]:
    """Return the newest taps at a till, newest first; one indexed query for each reader."""
    found: list[Tap] = []
    for reader in Reader.objects.filter(till=till):
        found += (
            Tap.objects.filter(reader=reader)
            .select_related("member", "reader")
            .order_by("-received_at")[:count]
        )
    return sorted(found, key=lambda tap: (tap.received_at, tap.pk), reverse=True)[:count]


def _present(taps: list[Tap], now: dt.datetime) -> tuple[Tap, TapFile] | None:
    """Find the newest tap whose person may still be here.

    A tap that waited in the reader's outbox for an hour arrives now, but its person left.
    """
    for tap in taps:
        if now - tap.received_at > PRESENT_FOR:
            return None
        shown = tap_file(tap.reader.slug, tap.tap_id)
        if shown and now - shown.at <= PRESENT_FOR:
            return tap, shown
    return None


def _meaning(tap: Tap, shown: TapFile) -> tuple[View, MemberFile | None]:
    view = _VIEWS.get(shown.reason, "refused")
    if view == "new" and shown.tier == "X":
        # What proved nothing can never be enrolled: a forged address, or a phone that was asked.
        return _nothing(tap, shown), None
    if view != "new":
        return view, shown.member
    card = (
        Card.objects.filter(program__shops__readers=tap.reader_id, kind=tap.kind, data=tap.data)
        .select_related("member")
        .first()
    )
    return ("enrolled", member_file(card.member.ref)) if card else ("new", None)


def _nothing(tap: Tap, shown: TapFile) -> View:
    if tap.kind != "sun":
        return "phone"
    return "unsupported" if shown.finding == "unsupported" else "unproved"


def _lines(taps: list[Tap]) -> tuple[EarlierTap, ...]:
    return tuple(
        EarlierTap(tap.member.name if tap.member else "", cast(Reason, tap.reason), tap.received_at)
        for tap in taps
    )
