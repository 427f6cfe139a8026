"""The demo shop with its reader on line, and somebody who watches it."""

from __future__ import annotations

import asyncio
import contextlib
import os
from collections.abc import AsyncIterator
from dataclasses import dataclass

from besnik import demo
from besnik.broker import Mosquitto
from besnik.run.children import ChildError
from besnik.run.demo import Demo
from besnik.run.monitor import Monitor
from besnik.run.shop import Say, Shop, opened
from besnik.run.taps import TapWatch
from besnik.sim.control import Control

READER_TIMEOUT_S = 20.0


@dataclass(frozen=True)
class Running:
    """A shop that works: its files, the counter's control, the taps as they are over."""

    shop: Shop
    demo: Demo
    control: Control
    watch: TapWatch


@contextlib.asynccontextmanager
async def running(prepared: Demo, mosquitto: Mosquitto, say: Say) -> AsyncIterator[Running]:
    """Yield the shop once its reader is on line, and end all of it afterwards."""
    # What this process reads of the store comes from the demo's, whatever the shell says.
    os.environ["BESNIK_CONFIG"] = str(prepared.settings_file)
    async with opened(prepared, mosquitto, say) as shop:
        monitor = Monitor(prepared.settings.broker, prepared.monitor_password)
        await monitor.connect()
        async with await Control.connect(prepared.control_socket) as control:
            watch = TapWatch(monitor, control, demo.READER)
            watching = asyncio.create_task(watch.run())
            try:
                await shop.start_reader()
                await _online(watch, shop)
                yield Running(shop, prepared, control, watch)
            finally:
                watching.cancel()
                await asyncio.gather(watching, return_exceptions=True)
                await monitor.close()


async def _online(watch: TapWatch, shop: Shop) -> None:
    try:
        await asyncio.wait_for(watch.online.wait(), READER_TIMEOUT_S)
    except TimeoutError:
        after = f"is not on line after {READER_TIMEOUT_S:.0f} s"
        raise ChildError(shop.children["reader"].last_words(after)) from None
