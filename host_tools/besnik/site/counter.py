"""What happens at the virtual counter, as one endless feed that outlives its process."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from typing import Any, Final

from besnik.sim.control import Control, ControlError, Event

RETRY_S: Final = 1.0
# How often a quiet feed says that it is alive, and looks whether the reader is switched on.
TICK_S: Final = 0.5
ANSWER_S: Final = 3.0


async def feed(path: str) -> AsyncIterator[dict[str, Any]]:
    """Yield the counter's events, and three of our own, for as long as one listens.

    ``away``: nobody serves the control socket at ``path``; tried again every second.
    ``cards`` (with ``cards``): first of each connection, followed by the counter's ``state``.
    ``tick`` (with ``connected``: the reader's process runs): nothing else came.
    """
    while True:
        try:
            async with await Control.connect(path) as control:
                async for event in _session(control):
                    yield event
        except (ControlError, TimeoutError):
            pass
        yield {"ev": "away"}
        await asyncio.sleep(RETRY_S)


async def move(path: str, card: str, *, present: bool) -> None:
    """Hold ``card`` to the reader or take it away; ControlError or TimeoutError if it cannot be."""
    async with await Control.connect(path) as control:
        act = control.present if present else control.remove
        await asyncio.wait_for(act(card), ANSWER_S)


async def _session(control: Control) -> AsyncIterator[dict[str, Any]]:
    yield {"ev": "cards", "cards": await asyncio.wait_for(control.cards(), ANSWER_S)}
    events: asyncio.Queue[Event] = asyncio.Queue()
    pump = asyncio.create_task(_pump(control, events))
    try:
        while not (pump.done() and events.empty()):
            try:
                yield dict(await asyncio.wait_for(events.get(), TICK_S))
            except TimeoutError:
                state = await asyncio.wait_for(control.state(), ANSWER_S)
                yield {"ev": "tick", "connected": state["connected"]}
    finally:
        pump.cancel()
        with contextlib.suppress(asyncio.CancelledError, ControlError):
            await pump


async def _pump(control: Control, events: asyncio.Queue[Event]) -> None:
    async for event in control.watch():
        events.put_nowait(event)
