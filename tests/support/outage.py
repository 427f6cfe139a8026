"""Outages in the reader's emulated time."""

from __future__ import annotations

import asyncio
from typing import Final

from support.chaos import Shop
from support.proxy import Proxy

HOUR_MS: Final = 3_600_000
# Emulated time passes in steps, so that whatever repeats in the firmware does repeat.
_STEP_MS: Final = 5_000


async def an_hour_without_wifi(shop: Shop, line: Proxy, taps: int) -> None:
    """Take the Wi-Fi away, present so many cards over an hour of the reader's time, bring it back.

    The station notices that the network is gone, and what it has open falls silent: no FIN, no RST.
    """
    await shop.control.wifi(False)
    await asyncio.to_thread(line.silence)
    for _ in range(taps):
        for _ in range(HOUR_MS // _STEP_MS // taps):
            await shop.leap(_STEP_MS)
        await shop.presenter.present()
    await asyncio.to_thread(line.restore)
    await shop.control.wifi(True)
