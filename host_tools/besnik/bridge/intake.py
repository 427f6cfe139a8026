"""From an MQTT message to a tap that keeps the contract, or the reason why it is none."""

from __future__ import annotations

import datetime as dt
import time
from functools import lru_cache
from typing import Literal, TypeVar

import msgspec

from besnik import contract
from besnik.store.hot import happened_at

Fault = Literal[
    "topic",
    "too_large",
    "not_utf8",
    "not_json",
    "version",
    "fields",
    "unknown_reader",
    "wrong_shop",
    "failed",
]


# Readers are few and speak often.
_address = lru_cache(maxsize=4096)(contract.parse_topic)

_M = TypeVar("_M", bound=msgspec.Struct)


class BadInputError(ValueError):
    """A message that is answered with nothing; ``where`` is the path of the field at fault."""

    def __init__(self, fault: Fault, where: str = "") -> None:
        super().__init__(fault)
        self.fault: Fault = fault
        self.where = where


class Arrival(msgspec.Struct, frozen=True):
    """A tap as it came in, by the host's clocks; ``redelivered``: the broker sent it before."""

    shop: str
    reader: str
    tap: contract.Tap
    redelivered: bool
    received_at: dt.datetime
    received_s: float

    @property
    def happened_at(self) -> dt.datetime:
        """When the card was held to the reader, as far as anybody knows."""
        tap = self.tap
        return happened_at(tap.t, tap.tq, True, self.received_at) if tap.q else self.received_at

    @property
    def age_s(self) -> float:
        """Seconds since the tap was received."""
        return time.monotonic() - self.received_s


class Report(msgspec.Struct, frozen=True):
    """What a reader says about itself."""

    shop: str
    reader: str
    message: contract.State | contract.Info | contract.Health


class _Version(msgspec.Struct):
    v: object = None


def read(topic: str, payload: bytes, *, redelivered: bool) -> Arrival:
    """Return the tap in a message; BadInputError with the reason if there is none."""
    address, tap = _message(topic, payload, contract.Tap)
    now = dt.datetime.now(dt.UTC)
    return Arrival(address.shop, address.reader, tap, redelivered, now, time.monotonic())


def read_answer(topic: str, payload: bytes) -> tuple[str, str, contract.ApduAnswer]:
    """Return shop, reader and answer of a card in a message; BadInputError with the reason."""
    address, answer = _message(topic, payload, contract.ApduAnswer)
    return address.shop, address.reader, answer


def read_report(topic: str, payload: bytes) -> Report:
    """Return what a reader says about itself; BadInputError with the reason if it is nothing."""
    address: contract.Address
    message: contract.State | contract.Info | contract.Health
    match topic.rpartition("/")[2]:
        case "state":
            address, message = _message(topic, payload, contract.State)
        case "info":
            address, message = _message(topic, payload, contract.Info)
        case _:
            address, message = _message(topic, payload, contract.Health)
    return Report(address.shop, address.reader, message)


def _message(topic: str, payload: bytes, kind: type[_M]) -> tuple[contract.Address, _M]:
    try:
        address = _address(topic)
    except contract.ContractError as error:
        raise BadInputError("topic") from error
    try:
        return address, contract.decode(payload, kind)
    except contract.ContractError as error:
        raise _fault(payload, error) from error


def _fault(payload: bytes, error: contract.ContractError) -> BadInputError:
    if len(payload) > contract.PAYLOAD_MAX_BYTES:
        return BadInputError("too_large")
    try:
        payload.decode()
    except UnicodeDecodeError:
        return BadInputError("not_utf8")
    try:
        version = msgspec.json.decode(payload, type=_Version).v
    except msgspec.ValidationError:
        return BadInputError("fields", "$")
    except (msgspec.DecodeError, RecursionError):
        return BadInputError("not_json")
    if version != 1 and type(version) is int:
        return BadInputError("version")
    # Only the path: the rest of the message can repeat what was sent, a UID for one.
    _, _, path = str(error).rpartition(" - at `")
    return BadInputError("fields", path.rstrip("`") if path.startswith("$.") else "$")
