"""How often a reader may have a card asked: the host answers challenges for whoever holds it."""

from __future__ import annotations

from collections import deque
from typing import Final

# credentials.md, section 3 (a reader as oracle): starts in any second, starts in any minute.
PER_SECOND: Final = 2
PER_MINUTE: Final = 30


class Rate:
    """The starts of one reader in the last minute."""

    def __init__(self) -> None:
        self._starts_s: deque[float] = deque()

    def allows(self, now_s: float) -> bool:
        """Tell whether one more may start at ``now_s`` (monotonic), and count it if so."""
        starts = self._starts_s
        while starts and starts[0] <= now_s - 60:
            starts.popleft()
        if len(starts) >= PER_MINUTE:
            return False
        if len(starts) >= PER_SECOND and starts[-PER_SECOND] > now_s - 1:
            return False
        starts.append(now_s)
        return True
