"""A line to the broker that can be cut, frozen, slowed down and tampered with.

It stands on a port of its own between a client and the broker, in a thread of its own, so that a
test may block. ``with Proxy(port) as line:``.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
import struct
from collections.abc import Callable, Iterable
from threading import Event, Thread
from types import TracebackType
from typing import Self

from support import mqtt_wire
from support.broker import free_port
from support.mqtt_wire import Packet

# What to send in place of a packet: packets, each after so many seconds.
Edited = Iterable[tuple[float, Packet]]
Edit = Callable[[Packet], Edited]
_CHUNK = 65536
# SO_LINGER with a time of 0: close() sends RST instead of FIN (socket(7)).
_RESET = struct.pack("ii", 1, 0)


def as_it_is(packet: Packet) -> Edited:
    """Change nothing."""
    return [(0, packet)]


class _Line:
    """One connection through the proxy: two sockets, and whether anything passes between them."""

    def __init__(self, proxy: Proxy, client: asyncio.StreamWriter) -> None:
        self._proxy = proxy
        self.ends = [client]
        self.flows = asyncio.Event()
        self.is_dead = False

    async def carry(
        self,
        source: asyncio.StreamReader,
        target: asyncio.StreamWriter,
        edit: Callable[[], Edit | None],
    ) -> None:
        """Carry bytes one way until that way is closed; packet by packet where they are edited."""
        waiting = bytearray()
        while data := await source.read(_CHUNK):
            await self.flows.wait()
            if self._proxy.delay_s:
                await asyncio.sleep(self._proxy.delay_s)
            waiting += data
            change = edit()
            if change is None:
                target.write(bytes(waiting))
                waiting.clear()
            else:
                self._send_edited(waiting, target, change)
        await self.flows.wait()

    @staticmethod
    def _send_edited(waiting: bytearray, target: asyncio.StreamWriter, change: Edit) -> None:
        loop = asyncio.get_running_loop()
        while packet := mqtt_wire.take(waiting):
            for delay_s, instead in change(packet):
                if delay_s:
                    loop.call_later(delay_s, target.write, instead.raw)
                else:
                    target.write(instead.raw)

    def close(self, *, with_reset: bool = False) -> None:
        """Close both ends, in order or as a machine does that knows nothing of the connection."""
        for end in self.ends:
            if with_reset:
                handle = end.get_extra_info("socket")
                with contextlib.suppress(OSError):  # the other side has closed it just now
                    handle.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
            end.transport.abort()


class Proxy:
    """A TCP proxy in front of ``127.0.0.1:upstream``, listening on ``port``.

    ``delay_s`` is added to each read in either direction. ``to_broker`` and ``from_broker`` may be
    set to functions that get each MQTT packet and say what is sent instead of it; set them while
    no packet is half way. ``connections`` counts those made so far.
    """

    def __init__(self, upstream: int) -> None:
        self.port = free_port()
        self.delay_s = 0.0
        self.to_broker: Edit | None = None
        self.from_broker: Edit | None = None
        self.connections = 0
        self._upstream = upstream
        self._loop = asyncio.new_event_loop()
        self._lines: set[_Line] = set()
        self._is_open = True
        self._is_silent = False
        self._ready = Event()
        self._stopped = asyncio.Event()
        self._thread = Thread(target=self._serve, name="proxy", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        assert self._ready.wait(5), "the proxy listens"
        return self

    def __exit__(
        self,
        _kind: type[BaseException] | None,
        _error: BaseException | None,
        _trace: TracebackType | None,
    ) -> None:
        self._loop.call_soon_threadsafe(self._stopped.set)
        self._thread.join(5)
        assert not self._thread.is_alive(), "the proxy ends"

    def freeze(self) -> None:
        """Let nothing pass, on present and new connections; what is sent waits for ``thaw``."""
        self._do(self._set_flow, False)

    def thaw(self) -> None:
        """Let everything pass again, on connections that ``sever`` did not kill."""
        self._do(self._set_flow, True)

    def sever(self) -> None:
        """Make the present connections half-open for ever: no byte, no FIN, no RST either way."""
        self._do(self._sever)

    def silence(self) -> None:
        """Do what a network that is gone does: ``sever``, and answer no new connection."""
        self._do(self._silence)

    def restore(self) -> None:
        """Take new connections again."""
        self._do(self._restore)

    def reset(self) -> None:
        """Break the present connections with RST at both ends."""
        self._do(self._close_all, True)

    def _do(self, action: Callable[..., None], *arguments: object) -> None:
        done = Event()

        def act() -> None:
            action(*arguments)
            done.set()

        self._loop.call_soon_threadsafe(act)
        assert done.wait(5), "the proxy answers"

    def _set_flow(self, is_open: bool) -> None:
        self._is_open = is_open
        for line in self._lines:
            if is_open and not line.is_dead:
                line.flows.set()
            else:
                line.flows.clear()

    def _sever(self) -> None:
        for line in self._lines:
            line.is_dead = True
            line.flows.clear()

    def _silence(self) -> None:
        self._is_silent = True
        self._sever()

    def _restore(self) -> None:
        self._is_silent = False

    def _close_all(self, with_reset: bool) -> None:
        for line in self._lines:
            line.close(with_reset=with_reset)

    def _serve(self) -> None:
        asyncio.set_event_loop(self._loop)
        self._loop.run_until_complete(self._run())
        self._loop.close()

    async def _run(self) -> None:
        server = await asyncio.start_server(self._connected, "127.0.0.1", self.port)
        self._ready.set()
        await self._stopped.wait()
        server.close()
        self._close_all(False)
        tasks = [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        line = _Line(self, writer)
        self._lines.add(line)
        line.is_dead = self._is_silent
        if self._is_open and not line.is_dead:
            line.flows.set()
        try:
            await self._carry_both(line, reader, writer)
        except (OSError, asyncio.CancelledError):
            pass  # one end is gone, or the broker is not there: so is the other end
        finally:
            self._lines.discard(line)
            line.close()

    async def _carry_both(
        self, line: _Line, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        if line.is_dead:
            await line.flows.wait()
        near, far = await asyncio.open_connection("127.0.0.1", self._upstream)
        line.ends.append(far)
        ways = (
            asyncio.create_task(line.carry(reader, far, lambda: self.to_broker)),
            asyncio.create_task(line.carry(near, writer, lambda: self.from_broker)),
        )
        try:
            await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for way in ways:
                way.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await asyncio.gather(*ways, return_exceptions=True)
