"""What a till's screen shows: the newest tap and what it means for the cashier."""

from __future__ import annotations

import datetime as dt
import hashlib
from collections.abc import Mapping
from typing import Final, Literal, cast

import msgspec
from django.utils import timezone

from besnik.contract import Reason
from besnik.crm.moving import has_moved
from besnik.loyalty.ledger import Unit
from besnik.site.cashier.crm_file import CrmFile
from besnik.site.open_sale import OpenSale, open_sale
from besnik.store.glance import Glance, glance, visits
from besnik.store.members import TapFile, happened_at, tap_line
from besnik.store.models import (
    Card,
    CrmAnswer,
    CrmSource,
    Member,
    Posting,
    Reader,
    Tap,
    Till,
)

# A tap older than this is no longer the person who stands at the till.
PRESENT_FOR: Final = dt.timedelta(minutes=5)
EARLIER: Final = 4
# So many taps that came while a page was away are listed; of more only their number.
MISSED: Final = 30

View = Literal[
    "waiting",
    "accepted",
    "blocked",
    "refused",
    "too_soon",
    "pending",
    "ambiguous",
    "new",
    "enrolled",
    "found",
    "phone",
    "unsupported",
    "unproved",
    "error",
]
_VIEWS: Final[dict[str, View]] = {
    "ok": "accepted",
    "blocked": "blocked",
    "too_soon": "too_soon",
    "pending": "pending",
    "unknown": "new",
    "random_id": "phone",
    "error": "error",
}


CrmTrouble = Literal["", "away", "off"]


class EarlierTap(msgspec.Struct, frozen=True):
    """One line of what happened before at this till; ``name`` is empty for an unknown card."""

    name: str
    reason: Reason
    at: dt.datetime


class Gap(msgspec.Struct, frozen=True):
    """What a page did not see: the taps after row ``after``, up to row ``until``."""

    after: int
    until: int


class Board(msgspec.Struct, frozen=True):
    """The screen of one till.

    ``view`` decides what is drawn, ``said`` changes with what is said about the shown tap;
    ``member`` is who is served, ``gained`` what the tap gave by unit. ``uid`` is the card's
    upper-case hex, shown only where nobody is named yet. ``newest`` is the row of the newest tap.
    ``missed`` are those that came while the page was away, without the shown one, ``missed_more``
    counts what is too much to list, and ``since`` came after them. Lists begin with what happened
    last. ``crm_trouble``: who is shown as pending waits for a CRM that does not answer now (away),
    or was switched off.
    ``crm`` is what that CRM has of the member, as far as who looks may read it.
    """

    view: View
    said: str = ""
    tap: TapFile | None = None
    member: Glance | None = None
    gained: Mapping[Unit, int] = msgspec.field(default_factory=dict)
    uid: str = ""
    open_sale: OpenSale | None = None
    earlier: tuple[EarlierTap, ...] = ()
    newest: int = 0
    since: tuple[EarlierTap, ...] = ()
    missed: tuple[EarlierTap, ...] = ()
    missed_more: int = 0
    day: dt.date = dt.date.min
    crm_trouble: CrmTrouble = ""
    crm: CrmFile | None = None

    @property
    def key(self) -> str:
        """Return what changes with anything on the screen; "today" is another one tomorrow."""
        return hashlib.blake2s(msgspec.json.encode(self), digest_size=8).hexdigest()

    @property
    def subject(self) -> str:
        """Return whom or what the screen is about: a member, a card nobody has, or nothing."""
        if self.member is not None:
            return self.member.ref
        if self.view == "new":
            return f"card-{self.uid}"
        return f"tap-{self.tap.id}" if self.tap else ""

    @property
    def missed_count(self) -> int:
        """How many taps came while the page was away, besides the shown one."""
        return len(self.missed) + self.missed_more

    @property
    def may_serve(self) -> bool:
        """Whether the member who is shown can buy and redeem: no card of theirs was refused."""
        return self.member is not None and self.view not in ("blocked", "refused", "error")


def board(
    till: Till,
    now: dt.datetime | None = None,
    gap: Gap | None = None,
    served: Member | None = None,
) -> Board:
    """Return what the screen of ``till`` shows at ``now``; its page did not see ``gap``.

    ``served`` is a member that somebody chose; without one it is who held a card to a reader.
    """
    now = now or dt.datetime.now(dt.UTC)
    taps = newest_taps(till, EARLIER + 1 + (MISSED if gap else 0))
    present = _present(taps, now)
    shown = present[0].pk if present else 0
    missed, more = _missed(till, gap, shown) if gap else ([], 0)
    rest = [tap for tap in taps if tap.pk != shown and tap not in missed]
    since = [tap for tap in rest if gap and missed and tap.pk > gap.until][:EARLIER]
    known = [tap for tap in rest if not (gap and missed) or tap.pk <= gap.after]
    return msgspec.structs.replace(
        _chosen(present, served, now) if served else _shown(present, now),
        newest=newest(taps),
        since=_lines(since),
        missed=_lines(missed),
        missed_more=more,
        earlier=_lines(known[: EARLIER - len(since)]),
        day=timezone.localtime(now).date(),
        open_sale=open_sale(till, now - PRESENT_FOR, now),
    )


def _missed(till: Till, gap: Gap, shown: int) -> tuple[list[Tap], int]:
    """Return the newest taps in the gap without the shown one, and how many more there are."""
    inside = Tap.objects.filter(reader__till=till, pk__gt=gap.after, pk__lte=gap.until)
    others = inside.exclude(pk=shown)
    listed = list(others.select_related("member", "reader").order_by("-pk")[:MISSED])
    return listed, others.count() - len(listed) if len(listed) == MISSED else 0


def newest(taps: list[Tap]) -> int:
    """Return the highest row of the taps, 0 for none."""
    return max((tap.pk for tap in taps), default=0)


def newest_taps(till: Till, count: int) -> list[Tap]:
    """Return the newest taps at a till, newest first; one indexed query for each reader."""
    found: list[Tap] = []
    for reader in Reader.objects.filter(till=till):
        # Not joined: SQLite would then sort all taps of the reader, half a second of a million.
        taps = Tap.objects.filter(reader=reader).select_related("member", "card")
        for tap in taps.order_by("-received_at", "-pk")[:count]:
            tap.reader = reader
            found.append(tap)
    return sorted(found, key=lambda tap: (tap.received_at, tap.pk), reverse=True)[:count]


def _shown(present: tuple[Tap, TapFile] | None, now: dt.datetime) -> Board:
    if present is None:
        return Board("waiting")
    tap, shown = present
    view, member = _meaning(tap, shown)
    # Thanks go with the visit that earned them, and are not said again.
    count = visits(member) if member and view == "accepted" else 0
    return Board(
        view,
        said=f"{shown.id}-{view}",
        tap=shown,
        member=glance(member, now, visits=count) if member else None,
        gained=_gained(tap) if view == "accepted" else {},
        uid=tap.data,
        crm_trouble=_crm_trouble(tap) if view == "pending" else "",
    )


def _chosen(present: tuple[Tap, TapFile] | None, served: Member, now: dt.datetime) -> Board:
    """Return the board of a chosen member: that of their tap if they are the one who is here."""
    # A card that was enrolled a moment ago belongs to a member its tap does not know yet.
    if present is not None and present[0].member_id in (served.pk, None):
        shown = _shown(present, now)
        if shown.member is not None and shown.member.ref == served.ref:
            return shown
    return Board("found", said=f"found-{served.ref}", member=glance(served, now))


def _gained(tap: Tap) -> dict[Unit, int]:
    given = Posting.objects.filter(entry__tap=tap, account__member=tap.member_id, amount__gt=0)
    return dict(given.values_list("account__unit", "amount"))


def _present(taps: list[Tap], now: dt.datetime) -> tuple[Tap, TapFile] | None:
    """Find the newest tap whose person may still be here.

    A tap that waited in the reader's outbox for an hour arrives now, but its person left.
    """
    for tap in taps:
        if now - tap.received_at > PRESENT_FOR:
            return None
        if now - happened_at(tap) <= PRESENT_FOR:
            return tap, tap_line(tap)
    return None


def _meaning(tap: Tap, shown: TapFile) -> tuple[View, Member | None]:
    view = _VIEWS.get(shown.reason, "refused")
    if view == "new" and shown.tier == "X":
        # What proved nothing can never be enrolled: a forged address, or a phone that was asked.
        return _nothing(tap, shown), None
    if view != "new":
        return view, tap.member
    card = (
        Card.objects.filter(program__shops__readers=tap.reader_id, kind=tap.kind, data=tap.data)
        .select_related("member")
        .first()
    )
    if card is not None:
        return "enrolled", card.member
    return ("ambiguous" if _is_ambiguous(tap) else "new"), None


def _is_ambiguous(tap: Tap) -> bool:
    """Whether the program's other CRM has the card for more than one customer."""
    said = CrmAnswer.objects.filter(program__shops__readers=tap.reader_id, card=tap.data)
    return said.filter(state="ambiguous").exists()


def _crm_trouble(tap: Tap) -> CrmTrouble:
    source = CrmSource.objects.filter(program__shops__readers=tap.reader_id).first()
    if source is None or not source.is_on:
        return "off"
    # One that has moved is asked nothing until its owner has said whose its customers are.
    return "" if source.breaker == "closed" and not has_moved(source) else "away"


def _nothing(tap: Tap, shown: TapFile) -> View:
    if tap.kind != "sun":
        return "phone"
    return "unsupported" if shown.finding == "unsupported" else "unproved"


def _lines(taps: list[Tap]) -> tuple[EarlierTap, ...]:
    lines = (
        EarlierTap(
            tap.member.name if tap.member else "", cast(Reason, tap.reason), happened_at(tap)
        )
        for tap in taps
    )
    return tuple(sorted(lines, key=lambda line: line.at, reverse=True))
