"""What was just done at a till, in words."""

from __future__ import annotations

import math
import time

import msgspec

from besnik.store.till.undo import UNDO


class Done(msgspec.Struct, frozen=True):
    """What was just done; ``undo`` names it for as long as one press takes it back.

    ``code`` is what is to be handed over (a coupon, a printed card), ``member`` who is shown then.
    ``at`` is when that was, in Unix seconds, and ``till`` where.
    """

    text: str
    extra: str = ""
    undo: str = ""
    code: str = ""
    member: str = ""
    at: float = msgspec.field(default_factory=time.time)
    till: str = ""

    @property
    def undo_s(self) -> int:
        """Return for how many seconds it can still be taken back; 0: no more."""
        if not self.undo:
            return 0
        return max(0, math.ceil(UNDO.total_seconds() - (time.time() - self.at)))
