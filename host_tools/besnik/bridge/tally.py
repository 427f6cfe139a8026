"""Counts what goes wrong, and logs it without letting anybody fill the log."""

from __future__ import annotations

import logging
import time
from collections import Counter
from typing import Final

from besnik.bridge.log import pairs

_log = logging.getLogger(__name__)

# Each reason is logged this often in full, then at most once in the interval.
_LOGGED_EACH: Final = 10
_LOG_INTERVAL_S: Final = 10.0


class Tally:
    """What went wrong in one process, by event and reason."""

    def __init__(self) -> None:
        self._counts: Counter[tuple[str, str]] = Counter()
        self._logged_s: dict[tuple[str, str], float] = {}

    def count(self, event: str, reason: str, **values: object) -> None:
        """Count it; ``values`` are for the log and name neither a person nor a card."""
        what = event, reason
        self._counts[what] += 1
        count, now = self._counts[what], time.monotonic()
        if count > _LOGGED_EACH and now - self._logged_s[what] < _LOG_INTERVAL_S:
            return
        self._logged_s[what] = now
        _log.warning(pairs(event, reason=reason, count=count, **values))

    def totals(self) -> dict[str, int]:
        """Return the counts under names like ``bad_input_not_json``."""
        return {
            f"{event}_{reason}": count for (event, reason), count in sorted(self._counts.items())
        }
