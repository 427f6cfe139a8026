# Emulated time, in integer nanoseconds. Bus traffic and waiting spend it; nothing else does.

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
