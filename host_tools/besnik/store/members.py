"""What a page shows about a member or a tap.

``member_file`` and ``tap_file`` run a constant number of queries however much history there is.
"""

from __future__ import annotations

import datetime as dt
from typing import Final, cast

import msgspec

from besnik.contract import Outcome, Reason
from besnik.credentials.assess import Finding, Tier, may_redeem
from besnik.store import hot
from besnik.store.models import Account, Card, Member, Posting, Tap
from besnik.store.people import LANGUAGES as LANGUAGES
from besnik.store.people import EnrolError as EnrolError
from besnik.store.people import enrol_tap as enrol_tap

LAST_VISITS: Final = 5
STAMP: Final = "stamp"


class VisitLine(msgspec.Struct, frozen=True):
    """One accepted tap: when (UTC), the shop's name, the stamps it gave."""

    at: dt.datetime
    shop: str
    amount: int


class CardLine(msgspec.Struct, frozen=True):
    """One card of a member; ``tail`` is the end of its data, enough to tell two apart.

    ``originality``: ``genuine``, ``copy``, or "" where nobody could tell.
    """

    kind: str
    tail: str
    state: str
    originality: str


class MemberFile(msgspec.Struct, frozen=True):
    """What the cashier sees of a member; ``balance`` in stamps, newest visit first."""

    ref: str
    name: str
    language: str
    since: dt.datetime
    balance: int
    visits: tuple[VisitLine, ...]
    cards: tuple[CardLine, ...]


class TapFile(msgspec.Struct, frozen=True):
    """What the cashier sees of one tap; ``card`` and ``member`` are None for an unknown card.

    ``tier`` says how far the card can be trusted: from D, a copy would do, nothing is redeemed;
    X proved nothing and cannot be enrolled. ``finding`` is what else was found out.
    """

    id: int
    tap: str
    reader: str
    tier: Tier
    finding: Finding
    outcome: Outcome
    reason: Reason
    at: dt.datetime
    queued: bool
    card: CardLine | None
    member: MemberFile | None

    @property
    def may_redeem(self) -> bool:
        """Whether this tap may pay with what the member has earned."""
        return may_redeem(self.tier)


def member_file(ref: str, *, visits: int = LAST_VISITS) -> MemberFile | None:
    """Return the file of the member with public reference ``ref``, None if there is none."""
    member = Member.objects.filter(ref=ref).first()
    return None if member is None else _file(member, visits)


def tap_file(reader: str, tap_id: str, *, visits: int = LAST_VISITS) -> TapFile | None:
    """Return the file of a tap by its reader's slug and its id there, None if there is none."""
    tap = (
        Tap.objects.filter(reader__slug=reader, tap_id=tap_id)
        .select_related("card", "member", "reader")
        .first()
    )
    if tap is None:
        return None
    member = None if tap.member is None else _file(tap.member, visits)
    return msgspec.structs.replace(tap_line(tap), member=member)


def tap_line(tap: Tap) -> TapFile:
    """Return the file of a tap without its member's; its card and reader should have been read."""
    return TapFile(
        id=tap.pk,
        tap=tap.tap_id,
        reader=tap.reader.slug,
        tier=cast(Tier, tap.tier),
        finding=cast(Finding, tap.finding),
        outcome=cast(Outcome, tap.outcome),
        reason=cast(Reason, tap.reason),
        at=happened_at(tap),
        queued=tap.queued,
        card=None if tap.card is None else _card_line(tap.card),
        member=None,
    )


def _file(member: Member, visits: int) -> MemberFile:
    balance = Account.objects.filter(member=member, unit=STAMP).values_list("balance", flat=True)
    postings = (
        Posting.objects.filter(
            account__member=member, account__unit=STAMP, entry__tap__isnull=False
        )
        .select_related("entry__tap__reader__shop")
        .order_by("-entry__tap__received_at", "-pk")[:visits]
    )
    return MemberFile(
        ref=member.ref,
        name=member.name,
        language=member.language,
        since=member.created_at,
        balance=balance.first() or 0,
        visits=tuple(
            VisitLine(happened_at(tap), tap.reader.shop.name, posting.amount)
            for posting in postings
            if (tap := posting.entry.tap) is not None
        ),
        cards=tuple(_card_line(card) for card in member.cards.order_by("pk")),
    )


def _card_line(card: Card) -> CardLine:
    return CardLine(card.kind, card.data[-4:], card.state, card.originality)


def happened_at(tap: Tap) -> dt.datetime:
    """Return when the card of a tap was held to the reader, as far as anybody knows."""
    return hot.happened_at(tap.read_at, tap.clock_quality, tap.queued, tap.received_at)
