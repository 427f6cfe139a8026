"""A visit that waited for the CRM's answer, counted as the bridge would have counted it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Iterable
from typing import cast

import msgspec
from django.db.models import Q
from msgspec.structs import replace

from besnik.contract import Outcome, Reason
from besnik.credentials.assess import CardRef, Finding, Tier
from besnik.crm import unearned
from besnik.loyalty.ledger import MAIN
from besnik.loyalty.visits import Limit, VisitRules
from besnik.store import books, pace
from besnik.store.counters import CardCounter, raised
from besnik.store.hot import DecidedTap, KnownCard, TapKey
from besnik.store.judge import judge
from besnik.store.members import happened_at
from besnik.store.models import Alert, Card, CardState, MemberStatus, Posting, Tap, TierHeld
from besnik.store.pending import AnswerKey
from besnik.store.programs import current


def count(tap: Tap, card: Card) -> tuple[Outcome, Reason]:
    """Count the visit of ``tap`` for the member who has ``card``; return the verdict on it.

    Within a transaction that has locked the tap's pending row; it ends with the tap and the ledger
    written. A card that is not active counts nothing, nor does one that comes too soon.
    """
    # The card first, as the bridge does: who holds it sees every tap of it.
    locked = Card.objects.select_for_update(of=("self",), no_key=True)
    held = locked.select_related("member").get(pk=card.pk)
    with books.writing(card.program_id, [card.member_id]) as ledger:
        decided = _decided(tap, held)
        if decided.outcome == "accepted":
            # As one that waited at the reader: its card may have been used since.
            firsts = {decided.key: replace(decided, queued=True)}
            judge(firsts, _Rows(tap))
            decided = replace(firsts[decided.key], queued=tap.queued)
            for counter in raised(firsts, firsts).values():
                lower = Q(counter__isnull=True) | Q(counter__lt=counter)
                Card.objects.filter(lower, pk=held.pk).update(counter=counter)
        Tap.objects.filter(pk=tap.pk).update(
            card=held,
            member=held.member_id,
            outcome=decided.outcome,
            reason=decided.reason,
            tier=decided.tier,
        )
        if decided.entry is not None:
            ledger.post(decided.entry, at=decided.happened_at, source="reader", tap=tap)
        elif decided.outcome == "accepted":
            unearned.owe(tap.pk)
    if decided.reason == "too_soon":
        _warn(card.program_id, decided)
    return decided.outcome, decided.reason


def _decided(tap: Tap, card: Card) -> DecidedTap:
    """Return the tap with what its visit is worth, before it is held against others."""
    level = TierHeld.objects.filter(member=card.member_id).values_list("level", flat=True).first()
    is_active = card.state == CardState.ACTIVE and card.member.status == MemberStatus.ACTIVE
    shop, at = tap.reader.shop.slug, happened_at(tap)
    rules = VisitRules(current(card.program_id))
    known = KnownCard(
        card=card.pk,
        member=card.member_id,
        member_ref=card.member.ref,
        state="active" if is_active else "blocked",
        level=level or 0,
    )
    entry = rules.accrue(known.member, shop, at, known.level) if is_active else None
    return DecidedTap(
        reader=tap.reader_id,
        tap_id=tap.tap_id,
        ref=CardRef(tap.kind, tap.data),
        card=known,
        tier=cast(Tier, tap.tier),
        outcome="accepted" if is_active else "rejected",
        reason="ok" if is_active else "blocked",
        read_at=tap.read_at,
        clock_quality=tap.clock_quality,
        queued=tap.queued,
        received_at=tap.received_at,
        entry=entry,
        counter=tap.counter,
        finding=cast(Finding, tap.finding),
        bounds=None if entry is None else rules.bounds(shop, at, known.level),
    )


def _warn(program: int, tap: DecidedTap) -> None:
    kind, member, detail = pace.alert(tap)
    Alert.objects.create(
        program_id=program,
        kind=kind,
        member_id=member,
        detail=msgspec.json.decode(detail),
        at=tap.happened_at,
    )


class _Rows:
    """See CardRows: what is known of cards beside one tap that is written and not counted yet."""

    def __init__(self, tap: Tap) -> None:
        self._tap = tap

    def highest(self, cards: Collection[int]) -> dict[int, int | None]:
        """See CardRows; the card is locked."""
        return dict(Card.objects.filter(pk__in=cards).values_list("pk", "counter"))

    def written(self, keys: Collection[TapKey]) -> set[TapKey]:
        """See CardRows; that this tap is written is why it is judged now."""
        return set(keys) - {(self._tap.reader_id, self._tap.tap_id)}

    def used(self, counters: Collection[CardCounter]) -> set[CardCounter]:
        """See CounterRows."""
        others = Tap.objects.exclude(pk=self._tap.pk)
        return {pair for pair in counters if others.filter(card=pair[0], counter=pair[1]).exists()}

    def unowned(
        self,
        keys: Collection[AnswerKey],  # noqa: ARG002  # as CardRows says
        now: dt.datetime,  # noqa: ARG002  # as CardRows says
    ) -> set[AnswerKey]:
        """See AnswerRows: its owner is known."""
        return set()

    def earnings(
        self, card: int, member: int, unit: str, since: dt.datetime
    ) -> Iterable[dt.datetime]:
        """See EarningRows."""
        earned = Posting.objects.filter(
            account__member=member,
            account__unit=unit,
            account__account=MAIN,
            amount__gt=0,
            entry__kind="accrue",
            entry__tap__card=card,
            entry__occurred_at__gt=since,
        )
        return [at for at in earned.values_list("entry__occurred_at", flat=True) if at]

    def given(self, member: int, limit: Limit) -> int:
        """See EarningRows."""
        counted = Posting.objects.filter(
            account__member=member,
            account__unit=limit.unit,
            account__account=MAIN,
            entry__kind="accrue",
            entry__occurred_at__gte=limit.since,
            entry__occurred_at__lt=limit.until,
        )
        return sum(counted.values_list("amount", flat=True))
