"""A light reader for load: taps at a rate, keeps each in an outbox, sends it until it is answered.

It does on the wire what the firmware does (house plan, section 3) and nothing else.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import ssl
from collections import defaultdict
from typing import Any, Final

from besnik.contract import ROOT
from support import mqtt_wire
from support.broker import RunningBroker

RESEND_S: Final = 1.0
_ANSWER_S: Final = 3.0
_RETRY_S: Final = 0.1
_TOPIC: Final = ROOT + "/corner/{}/{}"


class OutboxReader:
    """Stands for the reader ``slug``, at which cards of ``uid`` are held.

    ``taps`` are the ids given out so far, ``answers`` the verdicts that came for each; ``outbox``
    holds what has no answer yet, oldest first. With ``tls`` it comes in by its certificate.
    """

    def __init__(
        self,
        broker: RunningBroker,
        slug: str,
        uid: str,
        boot: int,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        self.slug = slug
        self.taps: list[str] = []
        self.answers: defaultdict[str, list[dict[str, Any]]] = defaultdict(list)
        self.outbox: dict[str, float] = {}
        self.sessions = 0
        self._host = broker.host
        self._port = broker.readers_port if tls else broker.port
        self._password = broker.passwords.get(slug, "")
        self._tls = tls
        self._uid = uid
        self._boot = boot
        self._number = 0
        self._writer: asyncio.StreamWriter | None = None

    async def run(self) -> None:
        """Stay connected and send again what is not answered, until cancelled."""
        while True:
            with contextlib.suppress(OSError, TimeoutError, EOFError):
                await self._session()
            self._writer = None
            await asyncio.sleep(_RETRY_S)

    def tap(self) -> str:
        """Hold the card to it once: stored first, then sent."""
        tap_id = f"{self._boot:05d}-{len(self.taps) + 1:06d}"
        self.taps.append(tap_id)
        self.outbox[tap_id] = 0.0
        self._send(tap_id, queued=False)
        return tap_id

    async def _session(self) -> None:
        reader, writer = await asyncio.open_connection(self._host, self._port, ssl=self._tls)
        try:
            async with asyncio.timeout(_ANSWER_S):
                await self._open(reader, writer)
            self.sessions += 1
            self._writer = writer
            for tap_id in list(self.outbox):
                self._send(tap_id, queued=True)
            async with asyncio.TaskGroup() as group:
                again = group.create_task(self._send_again())
                try:
                    await self._listen(reader, writer)
                finally:
                    again.cancel()
        except* (OSError, EOFError):
            pass
        finally:
            writer.transport.abort()
        # Python 3.11.2 wraps what is raised in `except*` (github.com/python/cpython/issues/103590).
        raise EOFError("the session is over")

    async def _open(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(mqtt_wire.connect(self.slug, self.slug, self._password).raw)
        await reader.readexactly(4)  # CONNACK
        topic = _TOPIC.format(self.slug, "verdict")
        writer.write(mqtt_wire.subscribe(1, topic).raw)
        await reader.readexactly(5)  # SUBACK

    async def _listen(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        waiting = bytearray()
        while data := await reader.read(65536):
            waiting += data
            while packet := mqtt_wire.take(waiting):
                if packet.kind == mqtt_wire.PUBLISH:
                    writer.write(mqtt_wire.puback(packet.number).raw)
                    verdict = json.loads(packet.payload)
                    self.answers[verdict["id"]].append(verdict)
                    self.outbox.pop(verdict["id"], None)
        raise EOFError

    async def _send_again(self) -> None:
        loop = asyncio.get_running_loop()
        while True:
            await asyncio.sleep(RESEND_S / 4)
            for tap_id, sent_s in list(self.outbox.items()):
                if loop.time() - sent_s > RESEND_S:
                    self._send(tap_id, queued=True)

    def _send(self, tap_id: str, *, queued: bool) -> None:
        if self._writer is None:
            return
        self.outbox[tap_id] = asyncio.get_running_loop().time()
        self._number = self._number % 65535 + 1
        tap = {"v": 1, "id": tap_id, "k": "uid", "d": self._uid, "t": 0, "tq": 0, "q": int(queued)}
        topic = _TOPIC.format(self.slug, "tap")
        payload = json.dumps(tap, separators=(",", ":")).encode()
        self._writer.write(mqtt_wire.publish(self._number, topic, payload).raw)
