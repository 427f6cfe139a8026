"""What one can do at the virtual counter: present cards, look at the pins, break things."""

from __future__ import annotations

from collections.abc import Callable
from threading import Lock
from typing import Any

from besnik.sim.breaking import FaultError, apply
from besnik.sim.model.board import Board
from besnik.sim.model.picc import Picc


def _nobody_listens(_event: dict[str, Any]) -> None:
    pass


class DeskError(Exception):
    """A request that cannot be done; the text says what is allowed."""


class Desk:
    """A board and the names of its cards. ``lock`` guards the board between two threads.

    ``on_event`` receives the events of the control socket, from whichever thread caused them.
    """

    def __init__(self, board: Board, lock: Lock) -> None:
        self.board = board
        self.lock = lock
        self.labels: dict[str, str] = {}
        self.connected = False
        # A restarted device finds the chip as it left it; else it was off too.
        self.keeps_power = False
        self.on_event: Callable[[dict[str, Any]], None] = _nobody_listens
        self._operations: dict[str, Callable[..., dict[str, Any]]] = {
            "cards": self._cards,
            "present": self._present,
            "remove": self._remove,
            "state": self._state,
            "wifi": self._wifi,
            "fault": self._fault,
        }
        board.listen(self._tell)

    def add(self, key: str, label: str, card: Picc) -> None:
        """Put a card in the tray."""
        self.labels[key] = label
        self.board.add(key, card)

    def device_came(self) -> None:
        """A device starts: its pins are in their reset state."""
        with self.lock:
            self.connected = True
            if self.keeps_power:
                self.board.device_reset()
            else:
                self.board.power_cycle()

    def device_went(self) -> None:
        """The device is gone: nothing drives its pins."""
        with self.lock:
            self.connected = False
            self.board.device_reset()

    def do(self, operation: Any, arguments: dict[str, Any]) -> dict[str, Any]:
        """Carry out one request and return what it answers; DeskError if it cannot be done."""
        action = self._operations.get(operation) if isinstance(operation, str) else None
        if action is None:
            allowed = ", ".join((*self._operations, "watch"))
            raise DeskError(f"op {operation!r}: must be one of {allowed}")
        try:
            with self.lock:
                return action(**arguments)
        except TypeError as error:
            raise DeskError(f"{operation}: {error}") from error

    def _tell(self, event: str, detail: str, value: int, t_us: int) -> None:
        if event == "pin":
            self.on_event({"ev": "pin", "role": detail, "v": value, "t_us": t_us})
        elif event == "tone":
            self.on_event({"ev": "tone", "hz": value, "t_us": t_us})
        else:
            self.on_event({"ev": "card", "card": detail, "present": bool(value), "t_us": t_us})

    def _known(self, card: Any) -> str:
        if not isinstance(card, str) or card not in self.labels:
            raise DeskError(f"card {card!r}: must be one of {', '.join(self.labels)}")
        return card

    def _cards(self) -> dict[str, Any]:
        return {"cards": [self._described(key) for key in self.labels]}

    def _described(self, key: str) -> dict[str, Any]:
        card = self.board.cards[key]
        return {
            "key": key,
            "label": self.labels[key],
            "uid": None if card.random else card.uid.hex().upper(),
            "present": self.board.in_field(key),
        }

    def _present(self, *, card: Any) -> dict[str, Any]:
        self.board.present(self._known(card))
        return {}

    def _remove(self, *, card: Any) -> dict[str, Any]:
        self.board.remove(self._known(card))
        return {}

    def _state(self) -> dict[str, Any]:
        board = self.board
        return {
            "pins": {role: board.levels.get(role, 0) for role in board.pins if role != "buzzer"},
            "tone_hz": board.tone_hz,
            "present": [key for key in self.labels if board.in_field(key)],
            "wifi": board.wifi_up,
            "field": board.field.on,
            "connected": self.connected,
            "spi_frames": board.spi.frames,
            "spi_bytes": board.spi.octets,
            "rf_frames": board.field.frames,
            "t_us": board.clock.now_us(),
        }

    def _wifi(self, *, up: Any) -> dict[str, Any]:
        if not isinstance(up, bool):
            raise DeskError(f"wifi: up = {up!r}: must be true or false")
        self.board.wifi_up = up
        return {}

    def _fault(self, *, keep_power: Any = None, **what: Any) -> dict[str, Any]:
        """Break or mend: each argument that is given changes that one thing."""
        try:
            apply(self.board, what)
        except FaultError as error:
            raise DeskError(str(error)) from error
        if keep_power is not None:
            self.keeps_power = bool(keep_power)
        return {}
