# firmware/link.py against brokers that keep no rules: every wait ends, nothing is lost in silence.
# The broker is a script of its own answers in the same process, on a real socket.

import asyncio
import io
import json
import select
import time

from firmware import app, board, config
from firmware import link as link_module
from firmware.link import Link
from firmware.packets import Packets

_PORT = 18600
_CONNACK = b"\x20\x02\x00\x00"
_TOPIC = "besnik/v1/corner/counter-1/"


class _Wlan:
    def __init__(self):
        self.joins = 0
        self._is_up = False

    def isconnected(self):
        return self._is_up

    def active(self, is_active):
        pass

    def connect(self, name, password):
        self.joins += 1
        self._is_up = True

    def disconnect(self):
        self._is_up = False


# Time that may be told to run ahead.
class _Clock:
    ahead_ms = 0

    def ticks_ms(self):
        return time.ticks_ms() + self.ahead_ms

    ticks_diff = staticmethod(time.ticks_diff)


# Takes connections and answers as told: acknowledges CONNECT and SUBSCRIBE, and hands every other
# packet to on_packet(broker, packet).
class _Broker:
    def __init__(self, on_packet=None, greets=True):
        self._on_packet = on_packet or (lambda broker, packet: None)
        self._greets = greets
        self.sessions = 0
        self.packets = []
        self.stream = None

    async def serve(self, reader, writer):
        self.sessions += 1
        self.stream = writer
        try:
            while True:
                head = await reader.readexactly(2)
                size = head[1] & 0x7F
                if head[1] & 0x80:
                    more = await reader.readexactly(1)
                    size |= more[0] << 7
                    head += more
                packet = head + await reader.readexactly(size)
                await self._answer(packet)
        except (OSError, EOFError):
            pass

    async def _answer(self, packet):
        kind = packet[0] & 0xF0
        if not self._greets:
            return
        if kind == 0x10:
            await self.say(_CONNACK)
        elif kind == 0x80:
            await self.say(bytes((0x90, 3, packet[2], packet[3], 1)))
        else:
            self.packets.append(packet)
            self._on_packet(self, packet)

    async def say(self, data):
        self.stream.write(data)
        await self.stream.drain()


def _pid(packet):
    start = 2 if packet[1] < 0x80 else 3
    after_topic = start + 2 + (packet[start] << 8 | packet[start + 1])
    return packet[after_topic] << 8 | packet[after_topic + 1]


def _puback(pid):
    return bytes((0x40, 2, pid >> 8, pid & 0xFF))


# A link to a broker on a port of its own, running; the test gets both and the parts it may turn.
async def _run(test, broker, tls=None):
    global _PORT
    _PORT += 1
    server = await asyncio.start_server(broker.serve, "127.0.0.1", _PORT)
    codec = Packets("counter-1", "counter-1", "secret", 30)
    codec.client.set_last_will(_TOPIC + "state", b'{"s":"lost","bd":1}', True, 1)
    births = ((_TOPIC + "state", b'{"s":"online","bd":1}'),)
    account = (("shop", ""), ("127.0.0.1", _PORT, tls), [_TOPIC + "verdict"], births)
    link = Link(_Wlan(), account, codec, _Clock())
    link.heard = []
    codec.client.set_callback(lambda topic, payload: link.heard.append(payload))
    tasks = [asyncio.create_task(link.run()), asyncio.create_task(_keep(link))]
    try:
        await test(link, broker)
    finally:
        for task in tasks:
            task.cancel()
        link._drop()
        server.close()
        await server.wait_closed()


# As the reader does.
async def _keep(link):
    while True:
        await asyncio.sleep_ms(500)
        await link.keep_alive()


async def _until(condition, limit_ms=4000):
    for _ in range(limit_ms // 10):
        if condition():
            return
        await asyncio.sleep_ms(10)
    raise AssertionError("not within %d ms" % limit_ms)


async def test_a_message_unacknowledged_is_sent_again_as_a_duplicate_with_its_id():
    async def test(link, broker):
        await _until(lambda: link.is_up)
        first = await link.publish(_TOPIC + "tap", b"one")
        assert await link.publish(_TOPIC + "tap", b"one", pid=first) == first
        await broker.say(_puback(first))
        await asyncio.sleep_ms(50)
        third = await link.publish(_TOPIC + "tap", b"one", pid=first)
        assert third != first
        await _until(lambda: len(broker.packets) == 4)
        flags = [packet[0] & 0x0F for packet in broker.packets[1:]]
        assert flags == [0x02, 0x0A, 0x02], flags
        assert [_pid(p) for p in broker.packets[1:]] == [first, first, third]

    await _run(test, _Broker())


async def test_acknowledgements_come_in_any_order_late_or_for_nobody():
    async def test(link, broker):
        await _until(lambda: link.is_up)
        pids = []
        for number in range(5):
            pids.append(await link.publish(_TOPIC + "tap", b"m%d" % number))
        for pid in reversed(pids + [999, 0]):
            await broker.say(_puback(pid))
        await broker.say(b"\x30\x08\x00\x03a/bhey")
        await _until(lambda: link.heard)
        assert link.heard == [b"hey"] and link.is_up and link.reconnects == 0

    await _run(test, _Broker())


async def test_a_broker_that_acknowledges_nothing_is_left():
    async def test(link, broker):
        await _until(lambda: link.is_up)
        for _ in range(25):
            await link.publish(_TOPIC + "tap", b"m")
        await _until(lambda: broker.sessions == 2)

    await _run(test, _Broker())


async def test_hostile_packets_end_the_session_and_not_the_reader():
    hostile = (
        b"\x30\xff\xff\xff\x7f",  # 256 MB to come
        b"\x30\x01\x00",  # PUBLISH without a topic
        b"\x32\x05\x00\x09a/b",  # a topic longer than its packet
        b"\x40\x00",  # PUBACK without an id
    )
    for packet in hostile:

        async def test(link, broker):
            await _until(lambda: link.is_up)
            await broker.say(packet)  # noqa: B023 - run within this turn
            await _until(lambda: broker.sessions == 2 and link.is_up)
            assert link.last_error is not None

        await _run(test, _Broker())


# A reader whose tasks are not running. It comes before the link of a test: umqtt.simple belongs to
# the packets made last.
def _reader():
    broker = {"host": "127.0.0.1", "port": 1, "plain": True, "password": "secret"}
    given = {"shop": "corner", "reader": "counter-1", "wifi": {"ssid": "shop"}, "broker": broker}
    settings = config.check(given)
    return app.build(settings, None, board, board.wire(settings))


# Every back-off is long enough for the reader to look once a second.
class _LongDice:
    @staticmethod
    def randrange(_):
        return 2000


async def test_why_a_session_ended_is_told_once_in_the_next():
    reader = _reader()

    async def test(link, broker):
        reader.link, reader.clock, reader.clock_due_s = link, _Clock(), 9999
        await _until(lambda: link.is_up)
        tending = asyncio.create_task(reader._tend())
        await broker.say(b"\x30\xff\xff\xff\x7f")
        await _until(lambda: not link.is_up)
        reader.clock.ahead_ms += 60000  # no line, so nobody is told
        await _until(lambda: broker.sessions == 2 and link.is_up, 8000)
        for number in range(3):
            reader.clock.ahead_ms += 60000
            await _until(lambda: len(_said(broker, b"/health")) > number, 8000)  # noqa: B023 - run within this turn
        tending.cancel()
        told = [json.loads(packet[packet.index(b"{") :]) for packet in _said(broker, b"/log")]
        words = "link: OSError('a packet over 1024 bytes',)"
        assert told == [{"l": "W", "n": 0, "m": words}], told
        assert link.last_error is None

    link_module.random, dice = _LongDice, link_module.random
    try:
        await _run(test, _Broker())
    finally:
        link_module.random = dice


def _said(broker, leaf):
    return [packet for packet in broker.packets if leaf in packet]


async def test_half_a_packet_and_silence_end_the_session():
    async def test(link, broker):
        await _until(lambda: link.is_up)
        await broker.say(b"\x30\x20\x00\x03a")
        await asyncio.sleep_ms(100)
        link._clock.ahead_ms += 31000
        await _until(lambda: broker.sessions == 2, 9000)

    await _run(test, _Broker())


async def test_a_session_that_is_heard_of_stays():
    def answer(broker, packet):
        if packet[0] == 0xC0:
            broker.stream.write(b"\xd0\x00")

    async def test(link, broker):
        await _until(lambda: link.is_up)
        link._clock.ahead_ms += 11000
        await _until(lambda: any(packet[0] == 0xC0 for packet in broker.packets), 7000)
        assert link.is_up and broker.sessions == 1

    await _run(test, _Broker(answer))


async def test_goodbye_comes_before_disconnect():
    async def test(link, broker):
        await _until(lambda: link.is_up)
        await link.close()
        await _until(lambda: len(broker.packets) == 3)
        born, left, end = broker.packets
        assert born[0] == 0x33 and born.endswith(b'{"s":"online","bd":1}'), born
        assert left[0] == 0x33 and left.endswith(b'{"s":"offline","bd":1}'), left
        assert end == b"\xe0\x00"

    await _run(test, _Broker())


# Every back-off is as short as it can be.
class _NoDice:
    @staticmethod
    def randrange(_):
        return 10


async def test_wifi_is_joined_anew_when_the_broker_stays_away():
    refused = _Broker()
    refused._answer = lambda packet: refused.say(b"\x20\x02\x00\x05")

    async def test(link, broker):
        await _until(lambda: link._wlan.joins == 2)
        assert broker.sessions >= 5 and "code 5" in str(link.last_error)

    link_module.random, dice = _NoDice, link_module.random
    try:
        await _run(test, refused)
    finally:
        link_module.random = dice


# No task waits long for another, whatever the broker does.
async def test_nobody_is_held_up_by_a_silent_broker():
    longest_ms = [0]

    async def tick():
        while True:
            began_ms = time.ticks_ms()
            await asyncio.sleep_ms(5)
            longest_ms[0] = max(longest_ms[0], time.ticks_diff(time.ticks_ms(), began_ms) - 5)

    async def test(link, broker):
        ticker = asyncio.create_task(tick())
        await asyncio.sleep_ms(1500)
        ticker.cancel()
        assert not link.is_up and broker.sessions == 1
        assert longest_ms[0] < 150, longest_ms

    await _run(test, _Broker(greets=False))


# A TLS socket as the ESP32 has it: no time-out of its own, and one that is made blocking blocks
# for ever. Its handshake takes a few turns, in which it takes and gives nothing.
class _EspTls(io.IOBase):
    def __init__(self, socket):
        self._socket = socket
        self._turns = 3
        self._poll = select.poll()
        self._poll.register(socket)

    def setblocking(self, is_blocking):
        assert not is_blocking, "this waits for ever"

    def settimeout(self, timeout_s):
        raise AttributeError("settimeout")

    def write(self, data):
        if not self._socket:
            raise OSError(9)
        if self._turns:
            self._turns -= 1
            return None
        return self._socket.write(data)

    def close(self):
        self._socket.close()
        self._socket = None

    def read(self, size):
        if not self._socket:
            raise OSError(9)
        return self._socket.read(size)

    def readinto(self, buffer):
        return self._socket.readinto(buffer)

    def ioctl(self, request, flags):
        if request == 3 and not self._socket:
            return 0x20  # MP_STREAM_POLL_NVAL, as modtls_mbedtls.c has it
        if request == 3:  # MP_STREAM_POLL
            for _, ready in self._poll.ipoll(0):
                return ready & flags
            return 0
        return -22  # EINVAL: it has no file number, for one


class _EspContext:
    def __init__(self):
        self.names = []

    def wrap_socket(self, socket, server_hostname, do_handshake_on_connect):
        assert not do_handshake_on_connect
        self.names.append(server_hostname)
        return _EspTls(socket)


async def test_tls_as_on_an_esp32_never_blocks():
    context = _EspContext()

    async def test(link, broker):
        await _until(lambda: link.is_up)
        assert await link.publish(_TOPIC + "tap", b"one")
        await broker.say(b"\x30\x20\x00\x03a")  # half a packet
        await asyncio.sleep_ms(100)
        link._clock.ahead_ms += 31000
        await _until(lambda: broker.sessions == 2, 9000)
        assert context.names[0] == "127.0.0.1"

    await _run(test, _Broker(), context)
