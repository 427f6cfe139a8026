# Time as the other files of this library want it, from MicroPython's own: ticks, short waits that
# block, and sleep_ms, during which other tasks run.

import asyncio
import time


class Clock:
    ticks_us = staticmethod(time.ticks_us)
    ticks_ms = staticmethod(time.ticks_ms)
    ticks_diff = staticmethod(time.ticks_diff)
    sleep_us = staticmethod(time.sleep_us)
    sleep_ms = staticmethod(asyncio.sleep_ms)
