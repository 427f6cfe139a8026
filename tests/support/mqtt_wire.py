"""MQTT 3.1.1 on the wire, as far as tests make packets, read them and tamper with them.

Section numbers are those of the MQTT 3.1.1 standard; the parts used here are the same in MQTT 5.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

CONNECT: Final = 0x10
CONNACK: Final = 0x20
PUBLISH: Final = 0x30
PUBACK: Final = 0x40
SUBSCRIBE: Final = 0x80
SUBACK: Final = 0x90
PINGREQ: Final = 0xC0
PINGRESP: Final = 0xD0

_QOS: Final = 0x06
_DUP: Final = 0x08
_AT_LEAST_ONCE: Final = 0x02


@dataclass(frozen=True)
class Packet:
    """One whole control packet; ``body`` is what follows the fixed header (2.2)."""

    head: int
    body: bytes

    @property
    def kind(self) -> int:
        """Its type, in the upper half of a byte as on the wire (2.2.1)."""
        return self.head & 0xF0

    @property
    def raw(self) -> bytes:
        """The packet as it goes over the wire."""
        return bytes((self.head,)) + _length(len(self.body)) + self.body

    @property
    def topic(self) -> str:
        """The topic of a PUBLISH (3.3.2.1), else an empty text."""
        if self.kind != PUBLISH:
            return ""
        return self.body[2 : 2 + int.from_bytes(self.body[:2], "big")].decode()

    @property
    def number(self) -> int:
        """The packet identifier (2.3.1) of a PUBLISH at QoS 1 or of a PUBACK, else 0."""
        start = 0
        if self.kind == PUBLISH:
            if not self.head & _QOS:
                return 0
            start = 2 + int.from_bytes(self.body[:2], "big")
        elif self.kind != PUBACK:
            return 0
        return int.from_bytes(self.body[start : start + 2], "big")

    @property
    def payload(self) -> bytes:
        """What an MQTT 3.1.1 PUBLISH carries (3.3.3)."""
        start = 2 + int.from_bytes(self.body[:2], "big")
        return self.body[start + (2 if self.head & _QOS else 0) :]

    def again(self) -> Packet:
        """Return the PUBLISH as it is sent once more: marked as a repeat (3.3.1.1)."""
        return Packet(self.head | _DUP, self.body)


def take(waiting: bytearray) -> Packet | None:
    """Take the first packet out of what was received; None while it is not whole."""
    size, at = 0, 1
    while True:
        if len(waiting) <= at:
            return None
        size |= (waiting[at] & 0x7F) << 7 * (at - 1)
        at += 1
        if not waiting[at - 1] & 0x80:
            break
    if len(waiting) < at + size:
        return None
    packet = Packet(waiting[0], bytes(waiting[at : at + size]))
    del waiting[: at + size]
    return packet


def connect(client: str, user: str, password: str, keepalive_s: int = 30) -> Packet:
    """Return the CONNECT of a client with a clean session (3.1)."""
    flags = 0xC2  # user name, password, clean session
    body = _text("MQTT") + bytes((4, flags)) + keepalive_s.to_bytes(2, "big")
    return Packet(CONNECT, body + _text(client) + _text(user) + _text(password))


def subscribe(number: int, topic: str) -> Packet:
    """Return the SUBSCRIBE to one topic at QoS 1 (3.8)."""
    return Packet(SUBSCRIBE | 2, number.to_bytes(2, "big") + _text(topic) + b"\x01")


def publish(number: int, topic: str, payload: bytes) -> Packet:
    """Return a PUBLISH at QoS 1 (3.3)."""
    body = _text(topic) + number.to_bytes(2, "big") + payload
    return Packet(PUBLISH | _AT_LEAST_ONCE, body)


def puback(number: int) -> Packet:
    """Return the PUBACK of a packet identifier (3.4)."""
    return Packet(PUBACK, number.to_bytes(2, "big"))


def _text(text: str) -> bytes:
    encoded = text.encode()
    return len(encoded).to_bytes(2, "big") + encoded


def _length(size: int) -> bytes:
    digits = bytearray()
    while True:
        size, digit = divmod(size, 128)
        digits.append(digit | (0x80 if size else 0))
        if not size:
            return bytes(digits)
