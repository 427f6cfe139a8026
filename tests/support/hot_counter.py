"""Cards held to reader counter-1, as the bridge writes them, without a bridge."""

from __future__ import annotations

import datetime as dt

from besnik.bridge.decide import decide
from besnik.credentials.assess import CardRef, Credential
from besnik.store.hot import CardKey, DecidedTap, HotStore

CARD = "04DEADBEEF1280"  # which nobody has here
NOON = dt.datetime(2026, 11, 22, 12, tzinfo=dt.UTC)


class HotCounter:
    """Writes taps; those of ``program`` at the minute that is said, after noon."""

    def __init__(self, hot: HotStore, program: int) -> None:
        self._hot = hot
        self._number = 0
        self.program = program

    def tap(
        self, uid: str = CARD, *, kind: str = "uid", counter: int | None = None, minute: int = 0
    ) -> tuple[str, str]:
        """Hold a card to the reader; return outcome and reason."""
        reader = self._hot.readers(["counter-1"])["counter-1"]
        credential = Credential(CardRef(kind, uid), "D" if counter is None else "A", counter)
        at = NOON + dt.timedelta(minutes=minute)
        key = CardKey(self.program, credential.ref)
        card = self._hot.cards([key]).get(key)
        decision = decide(credential, card, reader, at)
        self._number += 1
        tap = DecidedTap(
            reader=reader.id,
            tap_id=f"00001-{self._number:06d}",
            ref=credential.ref,
            card=card,
            tier=credential.tier,
            outcome=decision.outcome,
            reason=decision.reason,
            read_at=0,
            clock_quality=0,
            queued=False,
            received_at=at,
            entry=decision.entry,
            counter=counter,
            bounds=decision.bounds,
        )
        (done,) = self._hot.record([tap])
        return done.outcome, done.reason
