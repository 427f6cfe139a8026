"""The bridge's end of the wire, against a broker that says what the test says."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from types import SimpleNamespace
from typing import Any, Final

import pytest
from gmqtt import Message
from gmqtt.mqtt.package import PublishPacket
from gmqtt.mqtt.utils import IdGenerator

from besnik.bridge.account import account
from besnik.bridge.connection import Connection, Delivery
from besnik.bridge.wire import MalformedPacketError, publish, read_variable, variable
from besnik.config import Broker, Config
from support.processes import wait_until

TAP: Final = "besnik/v1/corner/counter-1/tap"
ROOM: Final = 3  # the broker's Receive Maximum; gmqtt uses one less


class Script(asyncio.Protocol):
    """The broker's end: answers CONNECT and SUBSCRIBE, keeps what else it hears, chunk by chunk."""

    def __init__(self) -> None:
        self.chunks: list[bytes] = []
        self.came = asyncio.Event()
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        if data[0] == 0x10:
            self.say(b"\x20\x06\x00\x00\x03\x21\x00" + bytes((ROOM,)))
        elif data[0] == 0x82:
            at = read_variable(data, 1)
            assert at is not None
            topics = 5
            self.say(b"\x90" + variable(3 + topics) + data[at[1] : at[1] + 2] + b"\x00" * 6)
        else:
            self.chunks.append(data)
            self.came.set()

    def say(self, data: bytes) -> None:
        """Send to the bridge."""
        assert self._transport is not None
        self._transport.write(data)


class Bridge:
    """What the bridge's side heard; ``release`` is done with all messages so far and to come."""

    def __init__(self) -> None:
        self.heard: list[tuple[str, bytes, bool]] = []
        self.rooms = 0
        self._held: list[Delivery] | None = []

    def hear(self, delivery: Delivery) -> None:
        self.heard.append((delivery.topic, delivery.payload, delivery.redelivered))
        if self._held is None:
            delivery.done()
        else:
            self._held.append(delivery)

    def release(self) -> None:
        held, self._held = self._held or [], None
        for delivery in held:
            delivery.done()

    def room(self) -> None:
        self.rooms += 1


async def until(condition: Callable[[], bool]) -> None:
    await asyncio.to_thread(wait_until, condition, "it was said", 5)


@pytest.fixture
async def ends() -> AsyncIterator[tuple[Script, Bridge, Connection]]:
    script, bridge = Script(), Bridge()
    server = await asyncio.get_running_loop().create_server(lambda: script, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    connection = Connection(account(Config()), b"{}", bridge.hear, bridge.room)
    await connection.open(Broker(port=port))
    yield script, bridge, connection
    await connection.close()
    server.close()


def message(payload: bytes, packet_id: int, *, again: bool = False, more: bytes = b"") -> bytes:
    """Return a PUBLISH at QoS 1 as a broker sends it, with the properties ``more``."""
    body = len(TAP).to_bytes(2, "big") + TAP.encode() + packet_id.to_bytes(2, "big")
    body += variable(len(more)) + more + payload
    return (b"\x3a" if again else b"\x32") + variable(len(body)) + body


@pytest.mark.parametrize("size", [0, 1, 80, 81, 82, 127, 128, 16_300, 16_400, 70_000])
@pytest.mark.parametrize("expiry_s", [None, 5])
@pytest.mark.parametrize("retain", [False, True])
def test_a_message_is_written_as_gmqtt_writes_it(
    size: int, expiry_s: int | None, retain: bool
) -> None:
    properties: dict[str, Any] = {} if expiry_s is None else {"message_expiry_interval": expiry_s}
    said = Message(TAP, b"x" * size, qos=1, retain=retain, **properties)
    theirs = PublishPacket.build_package(
        said, SimpleNamespace(proto_ver=5, id_generator=IdGenerator())
    )
    assert publish(TAP, b"x" * size, 1, expiry_s, retain=retain) == bytes(theirs[1])


@pytest.mark.parametrize("value", [0, 127, 128, 16_383, 16_384, 2_097_151, 2_097_152, 2**28 - 1])
def test_a_length_is_read_as_it_was_written(value: int) -> None:
    encoded = variable(value)
    assert read_variable(b"?" + encoded, 1) == (value, 1 + len(encoded))
    for cut in range(len(encoded)):
        assert read_variable(encoded[:cut], 0) is None


def test_a_length_of_five_bytes_is_none() -> None:
    with pytest.raises(MalformedPacketError):
        read_variable(b"\x80\x80\x80\x80\x01", 0)


@pytest.mark.parametrize("step", [1, 2, 3, 7, 64, 10_000])
async def test_messages_arrive_whole_however_they_were_cut(
    ends: tuple[Script, Bridge, Connection], step: int
) -> None:
    script, bridge, _ = ends
    payloads = [b"a", b"b" * 200, b"", b"c" * 60]
    property_of_the_broker = b"\x0b\x05"  # subscription identifier
    stream = b"".join(
        message(payload, index + 1, again=index == 1, more=property_of_the_broker)
        for index, payload in enumerate(payloads)
    )
    for start in range(0, len(stream), step):
        script.say(stream[start : start + step])
        await asyncio.sleep(0)
    await until(lambda: len(bridge.heard) == len(payloads))
    assert bridge.heard == [(TAP, payload, index == 1) for index, payload in enumerate(payloads)]


async def test_a_message_is_acknowledged_when_its_handler_is_done(
    ends: tuple[Script, Bridge, Connection],
) -> None:
    script, bridge, _ = ends
    script.say(message(b"tap", 258))
    await until(lambda: len(bridge.heard) == 1)
    await asyncio.sleep(0.05)
    assert not script.chunks
    bridge.release()
    await until(lambda: bool(script.chunks))
    assert script.chunks == [b"\x40\x02\x01\x02"]


async def test_what_is_said_in_one_turn_is_one_write(
    ends: tuple[Script, Bridge, Connection],
) -> None:
    script, bridge, _ = ends
    script.say(b"".join(message(b"tap", number) for number in range(1, 101)))
    await until(lambda: len(bridge.heard) == 100)
    bridge.release()
    await until(lambda: sum(map(len, script.chunks)) == 400)
    assert len(script.chunks) == 1


async def test_a_broker_without_room_gets_nothing_until_it_has_some(
    ends: tuple[Script, Bridge, Connection],
) -> None:
    script, bridge, connection = ends
    sent = [connection.send("besnik/v1/x", b"", None) for _ in range(ROOM + 1)]
    assert sent == [True] * (ROOM - 1) + [False] * 2
    await until(lambda: bool(script.chunks))
    first = script.chunks[0]
    script.say(b"\x40\x02" + first[4 + len("besnik/v1/x") :][:2])
    await until(lambda: bridge.rooms == 1)
    assert connection.send("besnik/v1/x", b"", None)


@pytest.mark.parametrize(
    "noise",
    [
        b"\x32\xff\xff\xff\xff\x01",  # a length that does not end
        b"\x32\x01\x00",  # no room for a topic
        b"\x32\x06\x00\x01\xff\x00\x01\x00",  # a topic that is no UTF-8
        b"\x32\x05\x00\x01a\x00\x01",  # no properties
        b"\x40\x00",  # an acknowledgement of nothing
    ],
)
async def test_what_is_no_mqtt_ends_the_connection(
    ends: tuple[Script, Bridge, Connection], noise: bytes
) -> None:
    script, bridge, connection = ends
    script.say(noise)
    async with asyncio.timeout(5):
        await connection.lost.wait()
    assert not bridge.heard
