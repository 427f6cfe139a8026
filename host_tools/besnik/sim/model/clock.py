# Emulated time, in integer nanoseconds. Bus traffic and waiting spend it; nothing else does.

try:
    from time import monotonic_ns as _wall_ns
except ImportError:  # MicroPython
    from time import ticks_us

    def _wall_ns() -> int:
        return ticks_us() * 1000


TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

FAR = 1 << 60


# Deterministic: time passes only when somebody spends it. Actions planned with `after_us`
# (a card taken away in the middle of an exchange) happen when their moment is reached.
class Clock:
    def __init__(self, start_us: int = 0):
        self.ns = start_us * 1000
        self.due_ns = FAR
        self._agenda: "list[tuple[int, Callable[..., Any], tuple[Any, ...]]]" = []

    def now(self) -> int:
        return self.ns

    def now_us(self) -> int:
        return self.now() // 1000

    # Lets time pass up to `ns`; what was planned for moments before it happens on the way.
    def reach(self, ns: int) -> None:
        while self.due_ns <= ns:
            due, action, args = self._agenda.pop(0)
            self.due_ns = self._agenda[0][0] if self._agenda else FAR
            if due > self.ns:
                self.ns = due
            action(*args)
        if ns > self.ns:
            self.ns = ns

    def advance_us(self, us: int) -> None:
        self.reach(self.now() + us * 1000)

    def after_us(self, us: int, action: "Callable[..., Any]", *args: "Any") -> None:
        due = self.now() + us * 1000
        at = 0
        while at < len(self._agenda) and self._agenda[at][0] <= due:
            at += 1
        self._agenda.insert(at, (due, action, args))
        self.due_ns = self._agenda[0][0]


# Real time: the wall clock, or what bus traffic has cost where that is later.
class WallClock(Clock):
    def __init__(self) -> None:
        self._began_ns = _wall_ns()
        Clock.__init__(self)

    def now(self) -> int:
        wall_ns = _wall_ns() - self._began_ns
        if wall_ns > self.ns:
            self.ns = wall_ns
        return self.ns
