"""How often one address may ask, counted in this process's memory."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable
from threading import Lock
from typing import Final

_MOST_KEYS: Final = 10_000


class Limiter:
    """Lets each key through ``most`` times in any ``window_s`` seconds."""

    def __init__(
        self, most: int, window_s: float, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._most = most
        self._window_s = window_s
        self._clock = clock
        self._times: dict[str, deque[float]] = {}
        self._lock = Lock()

    def full(self, key: str) -> bool:
        """Tell whether ``key`` has been here too often, without counting this time."""
        with self._lock:
            return len(self._recent(key)) >= self._most

    def count(self, key: str) -> bool:
        """Count ``key`` once; tell whether it may go on. What is refused is not counted."""
        with self._lock:
            times = self._recent(key)
            if len(times) >= self._most:
                return False
            times.append(self._clock())
            # The key that was here last goes to the end: the first ones are the oldest.
            self._times.pop(key, None)
            self._times[key] = times
            if len(self._times) > _MOST_KEYS:
                del self._times[next(iter(self._times))]
            return True

    def _recent(self, key: str) -> deque[float]:
        times = self._times.get(key, deque())
        since = self._clock() - self._window_s
        while times and times[0] <= since:
            times.popleft()
        return times
