"""What can be broken at the virtual counter and mended again, by name."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from typing import Any, Final

from besnik.sim.model.board import NO_ADDRESS, REFUSES, STRENGTH, Board
from besnik.sim.model.bus import MAX_BAUDRATE
from besnik.sim.model.noise import ALL_KINDS, LOST

_STUCK: Final = {None: None, "00": 0x00, "FF": 0xFF}
# A supply that is off or a wire that is not there is found by its role.
WIRES: Final = ("rst", "irq", "led_red", "led_green", "buzzer")


class FaultError(ValueError):
    """A fault that does not exist, or cannot be set to that; the text says what is allowed."""


def apply(board: Board, what: Mapping[str, Any]) -> None:
    """Break or mend: each fault that is named changes that one thing; FaultError.

    ``bus`` "00", "FF" or None · ``loose_per_mille`` of the bytes read from the chip have a wrong
    bit, with ``loose_above_hz`` only when the bus is faster · ``unplugged`` a list of `WIRES` ·
    ``swapped`` the two LEDs hang on each other's pins · ``sags`` the supply cannot feed the field ·
    ``loss_db`` metal takes so much from every answer · ``noise_per_mille`` of them are spoilt,
    of ``lost_per_mille`` of the commands a card hears nothing, both with ``seed`` · ``deaf`` ·
    ``brownout`` (the chip's registers fall back to reset) · ``network`` "ok", "weak", "refuses"
    (the password), "no_address" or "gone" · ``time_server`` answers or not.
    """
    for name, value in what.items():
        if name not in _FAULTS:
            raise FaultError(f"fault: {name}: must be one of {', '.join(sorted(_FAULTS))}")
        if name not in ("seed", "loose_above_hz"):
            _FAULTS[name](board, value, what)


_Fault = Callable[[Board, Any, Mapping[str, Any]], None]


def _bus(board: Board, value: Any, _: Mapping[str, Any]) -> None:
    if value not in _STUCK:
        raise FaultError(f'fault: bus = {value!r}: must be "00", "FF" or null')
    board.spi.stuck = _STUCK[value]


def _loose(board: Board, value: Any, what: Mapping[str, Any]) -> None:
    board.spi.loose_per_mille = _number("loose_per_mille", value, 1000)
    above_hz = what.get("loose_above_hz", 0)
    board.spi.loose_above_hz = _number("loose_above_hz", above_hz, MAX_BAUDRATE)


def _unplugged(board: Board, value: Any, _: Mapping[str, Any]) -> None:
    if not isinstance(value, list) or not set(value) <= set(WIRES):
        raise FaultError(f"fault: unplugged = {value!r}: must be a list of {', '.join(WIRES)}")
    board.unplugged = set(value)


def _swapped(board: Board, value: Any, _: Mapping[str, Any]) -> None:
    board.is_swapped = bool(value)


def _sags(board: Board, value: Any, _: Mapping[str, Any]) -> None:
    board.chip.sags = bool(value)


def _loss(board: Board, value: Any, _: Mapping[str, Any]) -> None:
    board.field.loss_db = _number("loss_db", value, 99)


def _noise(board: Board, value: Any, what: Mapping[str, Any]) -> None:
    per_mille = _number("noise_per_mille", value, 1000)
    board.field.noise.set(per_mille, ALL_KINDS, int(what.get("seed", 1)))


def _lost(board: Board, value: Any, what: Mapping[str, Any]) -> None:
    per_mille = _number("lost_per_mille", value, 1000)
    board.field.noise.set(per_mille, (LOST,), int(what.get("seed", 1)))


def _deaf(board: Board, value: Any, _: Mapping[str, Any]) -> None:
    board.chip.deaf = bool(value)


def _brownout(board: Board, value: Any, _: Mapping[str, Any]) -> None:
    if value:
        board.chip.brownout()


def _network(board: Board, value: Any, _: Mapping[str, Any]) -> None:
    known = {"no_address": NO_ADDRESS, "refuses": REFUSES, "gone": 0}
    strengths = {"ok": STRENGTH, "weak": 84, **known}
    _one_of("network", value, strengths)
    board.wifi_strength = strengths[value]


def _time_server(board: Board, value: Any, _: Mapping[str, Any]) -> None:
    board.has_time_server = bool(value)


def _number(name: str, value: Any, limit: int) -> int:
    if type(value) is not int or not 0 <= value <= limit:
        raise FaultError(f"fault: {name} must be a whole number from 0 to {limit}")
    return value


def _one_of(name: str, value: Any, allowed: Collection[str]) -> None:
    if value not in allowed:
        raise FaultError(f"fault: {name} = {value!r}: must be one of {', '.join(allowed)}")


_FAULTS: Final[dict[str, _Fault]] = {
    "bus": _bus,
    "loose_per_mille": _loose,
    "loose_above_hz": _loose,
    "unplugged": _unplugged,
    "swapped": _swapped,
    "sags": _sags,
    "loss_db": _loss,
    "noise_per_mille": _noise,
    "lost_per_mille": _lost,
    "seed": _noise,
    "deaf": _deaf,
    "brownout": _brownout,
    "network": _network,
    "time_server": _time_server,
}
