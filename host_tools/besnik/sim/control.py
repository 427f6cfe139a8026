"""A client of the virtual counter's control socket."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any, TypedDict, cast


class ControlError(Exception):
    """The counter refused a request or is gone (CounterGoneError); the text says why."""


class CounterGoneError(ControlError, ConnectionError):
    """The counter is not there, or no longer."""


class Card(TypedDict):
    """A card in the tray. ``uid`` is upper-case hex, or None for a phone with a random one."""

    key: str
    label: str
    uid: str | None
    present: bool


class Event(TypedDict, total=False):
    """What happened at the counter; ``t_us`` is emulated time in microseconds.

    ``ev`` is ``pin`` (with ``role`` and ``v``), ``tone`` (with ``hz``; 0 is silence),
    ``card`` (with ``card`` and ``present``) or, first on each watch, ``state`` (with ``state``).
    """

    ev: str
    role: str
    v: int
    hz: int
    card: str
    present: bool
    state: dict[str, Any]
    t_us: int


class Control:
    """One connection to the counter. Use ``await Control.connect(path)``."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer
        self._numbers = itertools.count(1)
        self._waiting: dict[int, asyncio.Future[dict[str, Any]]] = {}
        self._watches: list[asyncio.Queue[Event | None]] = []
        self._closed = False
        self._pump = asyncio.create_task(self._receive())

    @classmethod
    async def connect(cls, path: Path | str) -> Control:
        """Connect to the control socket at ``path``; CounterGoneError if nobody serves it."""
        try:
            return cls(*await asyncio.open_unix_connection(str(path)))
        except OSError as error:
            raise CounterGoneError(f"no virtual counter at {path}: {error}") from error

    async def __aenter__(self) -> Control:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    async def close(self) -> None:
        """Close the connection; running watches end."""
        self._pump.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await self._pump
        self._writer.close()
        with contextlib.suppress(OSError):
            await self._writer.wait_closed()

    async def request(self, op: str, **arguments: Any) -> dict[str, Any]:
        """Send one request and return the reply; ControlError with the counter's reason."""
        if self._closed:
            raise CounterGoneError("the virtual counter has gone")
        number = next(self._numbers)
        reply: asyncio.Future[dict[str, Any]] = asyncio.get_running_loop().create_future()
        self._waiting[number] = reply
        line = json.dumps({"n": number, "op": op, **arguments}) + "\n"
        try:
            self._writer.write(line.encode())
            await self._writer.drain()
            answer = await reply
        except OSError as error:
            raise CounterGoneError(f"the virtual counter has gone: {error}") from error
        finally:
            self._waiting.pop(number, None)
        if not answer["ok"]:
            raise ControlError(answer["error"])
        return answer

    async def cards(self) -> list[Card]:
        """Return the cards in the tray."""
        return cast("list[Card]", (await self.request("cards"))["cards"])

    async def present(self, card: str) -> None:
        """Hold the card to the reader."""
        await self.request("present", card=card)

    async def remove(self, card: str) -> None:
        """Take the card away."""
        await self.request("remove", card=card)

    async def state(self) -> dict[str, Any]:
        """Return pins, tone, cards present, counters of SPI traffic and the emulated time."""
        answer = await self.request("state")
        return {key: value for key, value in answer.items() if key not in ("n", "ok")}

    async def wifi(self, up: bool) -> None:
        """Switch the counter's Wi-Fi."""
        await self.request("wifi", up=up)

    async def fault(self, **what: Any) -> None:
        """Break or mend something.

        ``what`` is that of `besnik.sim.breaking.apply`, or ``keep_power`` (a restarted device finds
        the chip as it was).
        """
        await self.request("fault", **what)

    async def watch(self) -> AsyncIterator[Event]:
        """Yield the counter's state and then every event, until the counter or this client ends."""
        queue: asyncio.Queue[Event | None] = asyncio.Queue()
        self._watches.append(queue)
        try:
            answer = await self.request("watch")
            state = {key: value for key, value in answer.items() if key not in ("n", "ok")}
            yield {"ev": "state", "state": state, "t_us": state["t_us"]}
            while (event := await queue.get()) is not None:
                yield event
        finally:
            self._watches.remove(queue)

    async def _receive(self) -> None:
        try:
            while line := await self._reader.readline():
                message = json.loads(line)
                if "ev" in message:
                    for queue in self._watches:
                        queue.put_nowait(message)
                elif (reply := self._waiting.get(message["n"])) and not reply.done():
                    reply.set_result(message)
        except OSError:
            pass
        finally:
            self._end()

    def _end(self) -> None:
        self._closed = True
        for queue in self._watches:
            queue.put_nowait(None)
        for reply in self._waiting.values():
            if not reply.done():
                reply.set_exception(CounterGoneError("the virtual counter has gone"))
