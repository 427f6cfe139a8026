# The reader's line to the host: Wi-Fi, then one MQTT session after another for as long as it runs.

import asyncio
import random

from firmware import packets
from micropython import const

_JOIN_MS = const(15000)
_CONNECT_MS = const(10000)
_ACK_MS = const(5000)
_WRITE_MS = const(5000)
_PING_MS = const(10000)
_SILENCE_MS = const(30000)
_KEEPALIVE_S = const(30)
_STABLE_MS = const(60000)
_BACKOFF_MIN_MS = const(1000)
_BACKOFF_MAX_MS = const(60000)
_PACKET_MAX = const(1024)

_IPPROTO_TCP = const(6)
_TCP_NODELAY = const(1)


# The session ended: the broker refused it, fell silent or sent what MQTT 3.1.1 does not allow.
class LinkError(Exception):
    pass


# Where the broker is, who the reader is there, and what it says when it comes and when it is lost.
# will and birth: (topic, payload), published retained at QoS 1. subscribe_to: topics at QoS 1.
class Account:
    def __init__(self, host, port, user, password, subscribe_to, will, births):
        self.host = host
        self.port = port
        self.user = user
        self.password = password
        self.subscribe_to = subscribe_to
        self.will = will
        self.births = births


def _ignore(*_):
    pass


# wlan: network.WLAN. May be set: on_message(topic, payload), called in the link's own task for each
# message received, and on_up(), called after the births are sent. is_up is true while messages can
# be sent; reconnects counts sessions after the first.
class Link:
    def __init__(self, wlan, wifi, account, clock):
        self._wlan = wlan
        self._wifi = wifi
        self._account = account
        self._clock = clock
        self.on_message = _ignore
        self.on_up = _ignore
        self._packets = packets.Packets(
            account.user, account.user, account.password, _KEEPALIVE_S, self._hear
        )
        self._packets.set_last_will(account.will[0], account.will[1], True, 1)
        self._stream = None
        self._sending = asyncio.Lock()
        self._last_rx_ms = 0
        self._sessions = 0
        self.is_up = False
        self.last_error = None

    @property
    def reconnects(self):
        return max(self._sessions - 1, 0)

    # The task: sessions for ever, with full-jitter back-off between them.
    async def run(self):
        backoff_ms = _BACKOFF_MIN_MS
        while True:
            began_ms = self._clock.ticks_ms()
            try:
                await self._join()
                await self._session()
            except (OSError, LinkError, asyncio.TimeoutError, EOFError) as error:
                self.last_error = error
            finally:
                self._drop()
            if self._clock.ticks_diff(self._clock.ticks_ms(), began_ms) > _STABLE_MS:
                backoff_ms = _BACKOFF_MIN_MS
            await asyncio.sleep_ms(random.randrange(backoff_ms))
            backoff_ms = min(backoff_ms * 2, _BACKOFF_MAX_MS)

    # Sends one message. False when the link is down or goes down over it: send it again later.
    async def publish(self, topic, payload, retain=False, qos=1):
        if not self.is_up:
            return False
        try:
            await self._send(self._packets.publish_packet(topic, payload, retain, qos))
        except (OSError, asyncio.TimeoutError):
            self._drop()
            return False
        return True

    def _hear(self, topic, payload):
        self.on_message(topic, payload)

    async def _join(self):
        if self._wlan.isconnected():
            return
        self._wlan.active(True)
        self._wlan.connect(self._wifi[0], self._wifi[1])
        waited_ms = 0
        while not self._wlan.isconnected():
            if waited_ms >= _JOIN_MS:
                self._wlan.disconnect()
                raise LinkError("Wi-Fi does not answer")
            await asyncio.sleep_ms(100)
            waited_ms += 100

    async def _session(self):
        account = self._account
        self._stream, _ = await asyncio.wait_for_ms(
            asyncio.open_connection(account.host, account.port), _CONNECT_MS
        )
        self._stream.s.setsockopt(_IPPROTO_TCP, _TCP_NODELAY, 1)
        await self._send(self._packets.connect_packet())
        code = (await self._await_packet(packets.CONNACK))[3]
        if code:
            raise LinkError("the broker refused the connection: code %d" % code)
        for topic in account.subscribe_to:
            await self._send(self._packets.subscribe_packet(topic, 1))
            if (await self._await_packet(packets.SUBACK))[4] == 0x80:
                raise LinkError("the broker refused %s" % topic)
        self.is_up = True
        self._sessions += 1
        for topic, payload in account.births:
            await self.publish(topic, payload, retain=True)
        self.on_up()
        pinger = asyncio.create_task(self._ping())
        try:
            while True:
                await self._handle(await self._read_packet())
        finally:
            pinger.cancel()

    # One packet of the wanted type; others that arrive before it are handled.
    async def _await_packet(self, wanted):
        while True:
            packet = await asyncio.wait_for_ms(self._read_packet(), _ACK_MS)
            if packet[0] & 0xF0 == wanted:
                return packet
            await self._handle(packet)

    async def _handle(self, packet):
        if packet[0] & 0xF0 != packets.PUBLISH:
            return  # PUBACK: the verdict is a tap's receipt. PINGRESP: _last_rx_ms has noted it.
        try:
            answer = self._packets.receive(packet)
        except (AssertionError, IndexError, TypeError) as error:
            raise LinkError("a malformed packet: %r" % error)
        if answer:
            await self._send(answer)

    # One whole packet as bytes. Raises EOFError when the broker closes.
    async def _read_packet(self):
        stream = self._stream
        if stream is None:
            raise EOFError
        packet = await stream.readexactly(2)
        self._last_rx_ms = self._clock.ticks_ms()
        size = packet[1] & 0x7F
        if packet[1] & 0x80:
            more = await stream.readexactly(1)
            if more[0] & 0x80:
                raise LinkError("a packet over %d bytes" % _PACKET_MAX)
            packet += more
            size |= more[0] << 7
        if size > _PACKET_MAX:
            raise LinkError("a packet over %d bytes" % _PACKET_MAX)
        if size:
            packet += await stream.readexactly(size)
        return packet

    # Asks for a sign of life after 10 s of silence and ends the session after 30 s of it: TCP alone
    # never notices a half-open connection, and the ESP32 has no SO_KEEPALIVE.
    async def _ping(self):
        while True:
            silence_ms = self._clock.ticks_diff(self._clock.ticks_ms(), self._last_rx_ms)
            if silence_ms >= _SILENCE_MS:
                self._drop()
                return
            if silence_ms >= _PING_MS:
                try:
                    await self._send(packets.PINGREQ)
                except (OSError, asyncio.TimeoutError):
                    self._drop()
                    return
            await asyncio.sleep_ms(_PING_MS // 2)

    # One packet, one write. The lock: asyncio's stream loses data when two tasks drain it at once.
    async def _send(self, packet):
        async with self._sending:
            stream = self._stream
            if stream is None:
                raise OSError(-1)
            stream.write(packet)
            await asyncio.wait_for_ms(stream.drain(), _WRITE_MS)

    # Closes at once; a reader waiting on the stream gets an error and ends its session.
    def _drop(self):
        self.is_up = False
        stream, self._stream = self._stream, None
        if stream:
            stream.s.close()
