"""One tap on its way to a verdict: what it claims, what is known of it, what is still to ask."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

import msgspec

from besnik.bridge.decide import Decision, decide
from besnik.bridge.intake import Arrival
from besnik.bridge.relay import Failed
from besnik.contract import Reason
from besnik.credentials.assess import CardRef, Credential
from besnik.store.hot import CardKey, DecidedTap, KnownCard, KnownReader

# Cards that prove their UID; one that only shows it has proved nothing.
_PROVING: Final = ("ntag", "ev2")


class Presented(msgspec.Struct, frozen=True):
    """A tap, and what came of asking its card if that was tried."""

    arrival: Arrival
    asked: Credential | Failed | None = None


class Case:
    """A tap at a known reader; ``shown`` is what it proved without its card being asked.

    ``keys``: the cards this tap can be of; none for what must not be looked up.
    """

    __slots__ = ("_claims", "keys", "presented", "reader", "shown")

    def __init__(self, presented: Presented, reader: KnownReader, shown: Credential) -> None:
        self.presented = presented
        self.reader = reader
        self.shown = shown
        tap, program = presented.arrival.tap, reader.rules.program
        self._claims: Sequence[CardKey] = ()
        if tap.k == "uid" and tap.is_iso_dep:
            uid = shown.ref.data
            self._claims = [CardKey(program, CardRef(kind, uid)) for kind in _PROVING]
        self.keys: Sequence[CardKey] = ()
        if isinstance(presented.asked, Credential):
            self.keys = (CardKey(program, presented.asked.ref),)
        elif shown.tier != "X":
            self.keys = (CardKey(program, shown.ref), *self._claims)

    def is_worth_asking(self, cards: Mapping[CardKey, KnownCard]) -> bool:
        """Whether the card itself should be asked who it is, now that it lies there.

        That is a card that has to prove itself, one that hides its UID, or one nobody knows:
        the last can then be enrolled as what it is. A card known by its UID is not asked.
        """
        tap = self.presented.arrival.tap
        if self.presented.asked is not None or tap.q or tap.k != "uid":
            return False
        if not (tap.is_iso_dep or tap.is_type2):
            return False
        known = any(key in cards for key in self.keys)
        return self.claimed(cards) is not None or not known

    def claimed(self, cards: Mapping[CardKey, KnownCard]) -> KnownCard | None:
        """Return the card that has to prove itself and whose UID this tap shows."""
        for key in self._claims:
            if (card := cards.get(key)) is not None:
                return card
        return None

    def decided(self, cards: Mapping[CardKey, KnownCard]) -> DecidedTap:
        """Return the tap with its verdict."""
        asked = self.presented.asked
        if isinstance(asked, Credential):
            return self._by(asked, cards)
        if (claimed := self.claimed(cards)) is None:
            if self.shown.tier == "X" and asked is not None:
                return self._refused(asked)
            return self._by(self.shown, cards)
        if self.presented.arrival.tap.q:
            # It waited: nobody could ask the card, and the customer was told that it counts.
            # So it counts by its UID, as tier D: it earns and never redeems.
            return self._judged(self.shown, claimed)
        return self._refused(asked or "unanswered")

    def _by(self, credential: Credential, cards: Mapping[CardKey, KnownCard]) -> DecidedTap:
        # The first key is that of what was shown, or of what was proved where that was asked.
        card = None if credential.tier == "X" else cards.get(self.keys[0])
        return self._judged(credential, card)

    def _judged(self, credential: Credential, card: KnownCard | None) -> DecidedTap:
        at = self.presented.arrival.happened_at
        return self._written(credential, card, decide(credential, card, self.reader, at))

    def _refused(self, failed: Failed) -> DecidedTap:
        reason: Reason = "unknown" if failed == "refuted" else "error"
        nothing = Credential(self.shown.ref, "X")
        return self._written(nothing, None, Decision("rejected", reason))

    def _written(
        self, credential: Credential, card: KnownCard | None, decision: Decision
    ) -> DecidedTap:
        arrival = self.presented.arrival
        return DecidedTap(
            reader=self.reader.id,
            tap_id=arrival.tap.id,
            ref=credential.ref,
            card=card,
            counter=credential.counter,
            tier=credential.tier,
            outcome=decision.outcome,
            reason=decision.reason,
            finding=credential.finding,
            read_at=arrival.tap.t,
            clock_quality=arrival.tap.tq,
            queued=bool(arrival.tap.q),
            received_at=arrival.received_at,
            entry=decision.entry,
            bounds=decision.bounds,
        )
