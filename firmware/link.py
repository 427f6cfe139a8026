# The reader's line to the host: Wi-Fi, then one MQTT session after another for as long as it runs.

import asyncio
import gc
import random

from micropython import const

_JOIN_MS = const(15000)
_CONNECT_MS = const(10000)
_ACK_MS = const(10000)  # a TLS handshake comes before the first answer
# A live link takes a packet at once; one whose buffer stays full is dead. The customer waits.
_WRITE_MS = const(1000)
_PING_MS = const(10000)
_SILENCE_MS = const(30000)
_STABLE_MS = const(60000)
_BACKOFF_MIN_MS = const(1000)
_BACKOFF_MAX_MS = const(60000)
_NAP_MS = const(5000)
_GOODBYE_MS = const(1000)
_BROKER_FAILURES = const(5)
_PACKET_MAX = const(1024)
_UNACKED_MAX = const(20)

_IPPROTO_TCP = const(6)
_TCP_NODELAY = const(1)

_CONNACK = const(0x20)
_PUBLISH = const(0x30)
_PUBACK = const(0x40)
_SUBACK = const(0x90)
_PINGREQ = const(b"\xc0\x00")
_DISCONNECT = const(b"\xe0\x00")


async def _nothing_to_wait_for(is_long):
    pass


# wlan: network.WLAN. account: the Wi-Fi's name and password; the broker's host, port and
# tls.SSLContext or None; what to subscribe to, at QoS 1; the births, each (topic, payload),
# published retained at QoS 1, the first one the state. codec: packets.Packets, whose callback is
# called in the link's own task. before_stall(is_long) is awaited before what can block everybody:
# DNS and, for seconds, the TLS handshake. is_up is true while messages can be sent; reconnects
# counts sessions after the first; last_error says what ended the last one, until the reader has
# told. beats grows at least every 30 s while the task is alive.
class Link:
    def __init__(self, wlan, account, codec, clock):
        self._wlan = wlan
        self._account = account
        self.codec = codec
        self._clock = clock
        self.before_stall = _nothing_to_wait_for
        self._stream = None
        self._is_sending = False
        self._unacked = set()
        self._heard_ms = 0
        self._quiet_ms = _PING_MS
        self._failures = 0
        self.reconnects = -1
        self.is_up = False
        self.last_error = None
        self.beats = 0

    # The task: sessions for ever, with full-jitter back-off between them. The Wi-Fi is joined anew
    # when the broker cannot be reached several times in a row: an access point that forgot us looks
    # like a dead broker.
    async def run(self):
        backoff_ms = _BACKOFF_MIN_MS
        while True:
            began_ms = self._clock.ticks_ms()
            try:
                await self._join()
                self._failures += 1
                await self._session()
            except Exception as error:
                # Whatever it was, the next session is the remedy: TLS says what is wrong with a
                # certificate by ValueError, umqtt.simple what is wrong with a packet by
                # AssertionError, IndexError or TypeError. Words hold no traceback in the heap.
                self.last_error = repr(error)
            finally:
                self._drop()
            if self._clock.ticks_diff(self._clock.ticks_ms(), began_ms) > _STABLE_MS:
                backoff_ms = _BACKOFF_MIN_MS
            if self._failures >= _BROKER_FAILURES:
                self._failures = 0
                self._wlan.disconnect()
            wait_ms = random.randrange(backoff_ms)
            while wait_ms > 0:
                self.beats += 1
                await asyncio.sleep_ms(min(wait_ms, _NAP_MS))
                wait_ms -= _NAP_MS
            backoff_ms = min(backoff_ms * 2, _BACKOFF_MAX_MS)

    # Sends one message. Returns its packet id, True for QoS 0; 0 when the link is down or goes down
    # over it: send it again later. With the packet id of an earlier sending of the same message it
    # goes out as its duplicate, unless the broker has acknowledged that one.
    async def publish(self, topic, payload, retain=False, qos=1, pid=0):
        if not self.is_up:
            return 0
        if pid not in self._unacked:
            pid = 0
        packet = self.codec.publish_packet(topic, payload, retain, qos, pid)
        if qos:
            pid = pid or self.codec.client.pid
            self._unacked.add(pid)
        try:
            if len(self._unacked) > _UNACKED_MAX:
                raise OSError(-1)  # the broker acknowledges nothing
            await self._send(packet)
        except (OSError, asyncio.TimeoutError):
            self._drop()
            return 0
        return pid or True

    # Leaves: the birth in the words of a goodbye, then DISCONNECT, so that the will is not sent.
    # Not both at once: mosquitto 2.0 may take the end of the connection first, and send the will.
    async def close(self):
        topic, payload = self._account[3][0]
        pid = await self.publish(topic, payload.replace(b"online", b"offline"), retain=True)
        waited_ms = 0
        while pid in self._unacked and waited_ms < _GOODBYE_MS:
            waited_ms += 10
            await asyncio.sleep_ms(10)
        if self.is_up:
            await self._send(_DISCONNECT)

    async def _join(self):
        wlan = self._wlan
        if wlan.isconnected():
            return
        wlan.active(True)
        wlan.connect(*self._account[0])
        waited_ms = 0
        while not wlan.isconnected():
            if waited_ms >= _JOIN_MS:
                wlan.disconnect()
                raise OSError("Wi-Fi does not answer")
            self.beats += 1
            await asyncio.sleep_ms(100)
            waited_ms += 100

    async def _session(self):
        _, (host, port, tls), topics, births = self._account
        await self.before_stall(bool(tls))
        self._stream, _ = await asyncio.wait_for_ms(
            asyncio.open_connection(host, port), _CONNECT_MS
        )
        socket = self._stream.s
        socket.setsockopt(_IPPROTO_TCP, _TCP_NODELAY, 1)
        if tls:
            await self.before_stall(bool(tls))
            # The handshake takes place with the first write. No socket timeout is used, which the
            # ESP32 would lose under TLS: the socket never blocks, and every wait has its own limit.
            socket = tls.wrap_socket(socket, server_hostname=host, do_handshake_on_connect=False)
            socket.setblocking(False)
            self._stream = asyncio.StreamReader(socket)
        await self._send(self.codec.connect_packet())
        code = (await self._await_packet(_CONNACK))[3]
        if code:
            raise OSError("refused by the broker: code %d" % code)
        for topic in topics:
            await self._send(self.codec.subscribe_packet(topic, 1))
            if (await self._await_packet(_SUBACK))[4] == 0x80:
                raise OSError("refused by the broker: %s" % topic)
        self.is_up = True
        self._failures = 0
        self.reconnects += 1
        self._unacked.clear()
        for topic, payload in births:
            await self.publish(topic, payload, retain=True)
        gc.collect()  # what connecting left behind, before anything else asks for memory
        while True:
            await self._handle(await self._read_packet())

    # One packet of the wanted type; others that arrive before it are handled.
    async def _await_packet(self, wanted):
        while True:
            packet = await asyncio.wait_for_ms(self._read_packet(), _ACK_MS)
            if packet[0] & 0xF0 == wanted:
                return packet
            await self._handle(packet)

    async def _handle(self, packet):
        kind = packet[0] & 0xF0
        if kind == _PUBACK:
            self._unacked.discard(packet[2] << 8 | packet[3])
        elif kind == _PUBLISH:
            answer = self.codec.receive(packet)
            if answer:
                await self._send(answer)
        # PINGRESP: _heard_ms has noted it.

    # One whole packet as bytes. Raises EOFError when the broker closes.
    async def _read_packet(self):
        stream = self._stream
        if stream is None:
            raise EOFError
        packet = await stream.readexactly(2)
        self._heard_ms = self._clock.ticks_ms()
        self._quiet_ms = _PING_MS
        self.beats += 1
        size = packet[1] & 0x7F
        if packet[1] & 0x80:
            more = await stream.readexactly(1)
            packet += more
            size |= more[0] << 7  # beyond 16,383 bytes it is too large anyway
        if size > _PACKET_MAX:
            raise OSError("a packet over %d bytes" % _PACKET_MAX)
        if size:
            packet += await stream.readexactly(size)
        return packet

    # To be called every second or so: asks for a sign of life after 10 s of silence and ends the
    # session after 30 s of it. TCP alone never notices a half-open connection, and the ESP32 has no
    # SO_KEEPALIVE.
    async def keep_alive(self):
        silence_ms = self._clock.ticks_diff(self._clock.ticks_ms(), self._heard_ms)
        if not self.is_up or silence_ms < self._quiet_ms:
            return
        self._quiet_ms += _PING_MS
        try:
            if silence_ms >= _SILENCE_MS:
                raise OSError(-1)
            await self._send(_PINGREQ)
        except (OSError, asyncio.TimeoutError):
            self._drop()

    # One packet, one write, one at a time: asyncio's stream loses data when two tasks drain it at
    # once.
    async def _send(self, packet):
        while self._is_sending:
            await asyncio.sleep_ms(2)
        stream = self._stream
        if stream is None:
            raise OSError(-1)
        self._is_sending = True
        try:
            stream.write(packet)
            await asyncio.wait_for_ms(stream.drain(), _WRITE_MS if self.is_up else _ACK_MS)
        finally:
            self._is_sending = False

    # Closes at once; a reader waiting on the stream gets an error and ends its session.
    def _drop(self):
        self.is_up = False
        stream, self._stream = self._stream, None
        if stream:
            stream.s.close()
