"""What was just done at a till, in words."""

from __future__ import annotations

import msgspec

from besnik.store.till.undo import UNDO


class Done(msgspec.Struct, frozen=True):
    """What was just done; ``undo`` names it for as long as one press takes it back.

    ``code`` is what is to be handed over (a coupon, a printed card), ``member`` who is shown then.
    """

    text: str
    extra: str = ""
    undo: str = ""
    code: str = ""
    member: str = ""

    @property
    def undo_s(self) -> int:
        """Return for how many seconds it can be taken back."""
        return int(UNDO.total_seconds())
