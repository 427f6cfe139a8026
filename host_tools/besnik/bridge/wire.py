"""The hot part of MQTT 5: messages at QoS 0 and 1 and their acknowledgements, and every write.

gmqtt 0.8.0 costs the bridge more than the rest of a tap together: each packet is a write to the
socket of its own, each property is looked up and dumped as an object, each message passes three
coroutines. Here a turn of the event loop writes once, whatever it has to say. CONNECT, SUBSCRIBE,
PINGREQ and DISCONNECT stay gmqtt's.

This leans on parts of gmqtt that are not documented: `MQTTProtocol` writes by `write_data` and
hands packets to `MQTTConnection.put_package`; `MQTTConnection` keeps the time of the last data for
its keepalive; `IdGenerator` keeps the packet ids that are in use, and its public methods make a log
record of each. Hence the exact pin in requirements/run.in. Sections are those of MQTT 5.0.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import math
import os
import time
from collections.abc import Callable
from functools import lru_cache
from typing import Any, Final

from gmqtt.mqtt.package import Package
from gmqtt.mqtt.protocol import BaseMQTTProtocol, MQTTProtocol

_log = logging.getLogger(__name__)

_PUBLISH: Final = 0x30
_PUBACK: Final = 0x40
_QOS: Final = 0x06
_QOS1: Final = 0x02
_DUP: Final = 0x08
_EXPIRY: Final = b"\x05\x02"  # 3.3.2.3.3: five bytes of properties, the first names it
_NO_PROPERTIES: Final = b"\x00"

# (topic, payload, packet id or None at QoS 0, whether it was sent before)
OnPublish = Callable[[str, bytes, int | None, bool], None]


class MalformedPacketError(ValueError):
    """What the broker sent is not MQTT 5."""


def variable(value: int) -> bytes:
    """Return a variable byte integer (1.5.5); ``value`` is below 2**28."""
    if value < 128:
        return bytes((value,))
    if value < 16_384:
        return bytes((value & 127 | 128, value >> 7))
    encoded = bytearray()
    while value > 127:
        encoded.append(value & 127 | 128)
        value >>= 7
    encoded.append(value)
    return bytes(encoded)


def read_variable(data: bytes, at: int) -> tuple[int, int] | None:
    """Return the variable byte integer at ``at`` and where it ends; None if data ends before."""
    if at < len(data) and data[at] < 128:
        return data[at], at + 1
    value = 0
    for shift in (0, 7, 14, 21):
        if at >= len(data):
            return None
        byte = data[at]
        at += 1
        value |= (byte & 127) << shift
        if byte < 128:
            return value, at
    raise MalformedPacketError("a length of more than four bytes")


def publish(
    topic: str, payload: bytes, packet_id: int, expiry_s: int | None, *, retain: bool
) -> bytes:
    """Return a PUBLISH at QoS 1 (3.3); ``expiry_s``: the broker drops it after so many seconds."""
    name = _name(topic)
    properties = _NO_PROPERTIES if expiry_s is None else _EXPIRY + expiry_s.to_bytes(4, "big")
    length = variable(len(name) + 2 + len(properties) + len(payload))
    head = b"\x33" if retain else b"\x32"
    return head + length + name + packet_id.to_bytes(2, "big") + properties + payload


@lru_cache(maxsize=4096)
def _name(topic: str) -> bytes:
    """Return a topic as it stands in a packet (1.5.4); there are few, and they come often."""
    encoded = topic.encode()
    return len(encoded).to_bytes(2, "big") + encoded


@lru_cache(maxsize=4096)
def _topic(encoded: bytes) -> str:
    return encoded.decode()


class Wire(MQTTProtocol):  # type: ignore[misc]  # gmqtt has no types
    """One connection's bytes.

    ``on_publish`` takes each message as it comes; ``on_room()`` is called when the broker has
    acknowledged some of ours; ``unacknowledged`` counts those it has not. ``_connection`` is
    gmqtt's MQTTConnection.
    """

    def __init__(self, on_publish: OnPublish, on_room: Callable[[], None], **gmqtt: Any) -> None:
        super().__init__(**gmqtt)
        self._on_publish = on_publish
        self._on_room = on_room
        self._rest = b""
        self._out: list[bytes] = []
        self.unacknowledged = 0

    def publish(
        self, topic: str, payload: bytes, expiry_s: int | None, *, retain: bool = False
    ) -> None:
        """Send a message at QoS 1; OverflowError if the broker has no room for one more."""
        packet = publish(topic, payload, self._packet_id(), expiry_s, retain=retain)
        self.unacknowledged += 1
        self.write_data(packet)

    def _packet_id(self) -> int:
        """Return a packet id that is free; OverflowError if there is none."""
        ids = self.id_generator
        packet_id: int = ids._last_used_id + 1
        if packet_id >= ids._max or packet_id in ids._used_ids:
            return int(ids._mid_generate())
        ids._last_used_id = packet_id
        ids._used_ids.add(packet_id)
        return packet_id

    def acknowledge(self, packet_id: int) -> None:
        """Send the PUBACK of a message; success needs no reason code (3.4.2.1)."""
        self.write_data(b"\x40\x02" + packet_id.to_bytes(2, "big"))

    def write_data(self, data: bytes) -> None:
        """Have this written at the end of this turn of the event loop, with all else of it."""
        if not self._out:
            asyncio.get_running_loop().call_soon(self._flush)
        self._out.append(data)

    def cry(self, topic: str, payload: bytes) -> None:
        """Publish retained, at QoS 0, from another thread while the event loop hangs.

        Nothing is sent where half a packet waits to be: it would come to stand in its middle.
        """
        transport = self._transport
        if transport is None or transport.is_closing() or transport.get_write_buffer_size():
            return
        name = _name(topic)
        length = variable(len(name) + len(_NO_PROPERTIES) + len(payload))
        packet = b"\x31" + length + name + _NO_PROPERTIES + payload
        with contextlib.suppress(OSError):
            # The socket does not block; so small a packet goes as a whole or not at all.
            os.write(transport.get_extra_info("socket").fileno(), packet)

    def send_disconnect(self, *arguments: Any, **properties: Any) -> Any:
        """Say goodbye now: gmqtt closes the connection at once."""
        packet = super().send_disconnect(*arguments, **properties)
        self._flush()
        return packet

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Take over; without gmqtt's loop that reads, because ``data_received`` does."""
        BaseMQTTProtocol.connection_made(self, transport)

    def pause(self) -> None:
        """Read nothing for now: what the broker sends waits there."""
        if self._transport is not None:
            # gmqtt must not take this for silence of the broker, however long it lasts.
            self._connection._last_data_in = math.inf
            self._transport.pause_reading()

    def resume(self) -> None:
        """Read again."""
        if self._transport is not None:
            self._connection._last_data_in = time.monotonic()
            self._transport.resume_reading()

    def eof_received(self) -> bool:
        """Let the transport close."""
        return False

    def data_received(self, data: bytes) -> None:
        """Take what has come, whole packets and the start of one."""
        self._connection._last_data_in = time.monotonic()
        if self._rest:
            data = self._rest + data
        try:
            self._rest = data[self._packets(data) :]
        except (MalformedPacketError, IndexError, UnicodeDecodeError) as error:
            _log.error("event=malformed_packet error=%s", type(error).__name__)
            self._rest = b""
            self._transport.abort()

    def _packets(self, data: bytes) -> int:
        """Take all whole packets; return where they end."""
        at, has_room = 0, False
        acknowledged = self.id_generator._used_ids.discard
        while (length := read_variable(data, at + 1)) is not None:
            start = length[1]
            end = start + length[0]
            if end > len(data):
                break
            head = data[at]
            if head & 0xF0 == _PUBLISH and head & _QOS <= _QOS1:
                self._message(head, data[start:end])
            elif head == _PUBACK:
                if length[0] < 2:
                    raise MalformedPacketError("an acknowledgement of nothing")
                acknowledged(data[start] << 8 | data[start + 1])
                self.unacknowledged -= 1
                has_room = True
            else:
                self._connection.put_package(Package(head, data[start:end]))
            at = end
        if has_room:
            self._on_room()
        return at

    def _message(self, head: int, body: bytes) -> None:
        at = 2 + (body[0] << 8 | body[1])
        topic = _topic(body[2:at])
        packet_id = None
        if head & _QOS:
            packet_id = body[at] << 8 | body[at + 1]
            at += 2
        if body[at] == 0:
            self._on_publish(topic, body[at + 1 :], packet_id, bool(head & _DUP))
            return
        properties = read_variable(body, at)
        if properties is None:
            raise MalformedPacketError("a message without properties")
        self._on_publish(topic, body[sum(properties) :], packet_id, bool(head & _DUP))

    def _flush(self) -> None:
        out, self._out = self._out, []
        # asyncio takes the transport away when the connection is lost.
        if out and self._transport is not None and not self._transport.is_closing():
            self._connection._last_data_out = time.monotonic()
            self._transport.write(b"".join(out))
