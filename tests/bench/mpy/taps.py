# Runs in MicroPython on a staged flash folder, wired to a real counter and broker: the real reader,
# a number of taps through it, a number of reconnections, and at last a full outbox. Prints the heap
# at each stage.

import gc
import sys

import esp32
import machine
import machine_wdt
import network
import ntptime

machine.Pin(0)  # the shims open their line to the counter at the first use
gc.collect()
# What is not the application's: this script and the shims that stand for the board.
_FOREIGN = gc.mem_alloc()
_ = (esp32, machine, machine_wdt, network, ntptime)

# As boot.py and main.py do.
from firmware import app, board  # noqa: E402  isort: skip

import asyncio  # noqa: E402
import json  # noqa: E402
import os  # noqa: E402
import time  # noqa: E402

_ANSWER_MS = 5000
_FULL = 256


def _live_bytes():
    gc.collect()
    gc.collect()
    return gc.mem_alloc() - _FOREIGN


async def _one(reader, offer):
    reader.taps.latency_ms = None
    reader.taps.on_offer(offer)
    for _ in range(_ANSWER_MS // 5):
        await asyncio.sleep_ms(5)
        if reader.taps.latency_ms is not None and not len(reader.outbox):
            return
    raise RuntimeError("a tap was not answered")


# Every back-off is as short as it can be.
class _NoDice:
    @staticmethod
    def randrange(_):
        return 1


def _tell(what, number):
    print(json.dumps({what: number, "live": _live_bytes(), "free": gc.mem_free()}))


# Notes for how long nobody else's turn came, beyond the 5 ms it asked to sleep, and how much of a
# processor this process took between two of its own turns: [longest, most], both in us.
async def _watch(held_up):
    while True:
        began_us, used_s = time.ticks_us(), time.clock()
        await asyncio.sleep_ms(5)
        used_us = int((time.clock() - used_s) * 1000000)
        late_us = time.ticks_diff(time.ticks_us(), began_us) - 5000
        held_up[:] = max(held_up[0], late_us), max(held_up[1], used_us)


async def _up(reader):
    while not reader.link.is_up:
        await asyncio.sleep_ms(20)
    await asyncio.sleep_ms(300)


async def _drive(reader, taps, reconnects):
    from firmware import link
    from iso14443 import Card

    link.random = _NoDice
    await _up(reader)
    offer = Card(b"\x5b\x3c\x2a\x19", 0x08)
    offer.kind, offer.data = "uid", "5B3C2A19"
    held_up = [0, 0]
    watch = asyncio.create_task(_watch(held_up))
    for number in range(1, taps + 1):
        await _one(reader, offer)
        if number in (10, taps):
            if number == taps:
                print(json.dumps({"held_up_us": held_up[0], "used_us": held_up[1]}))
            _tell("taps", number)
            await asyncio.sleep_ms(20)
            held_up[:] = 0, 0
    watch.cancel()
    for number in range(1, reconnects + 1):
        reader.link._drop()
        await _up(reader)
        if number in (1, reconnects):
            _tell("reconnects", number)
    while len(reader.outbox) < _FULL:
        tap_id = reader.outbox.next_id()
        reader.outbox.put(tap_id, reader.taps._message(tap_id, offer))
    _tell("stored", len(reader.outbox))


async def _run(taps, reconnects):
    global app
    reader = app.start(board)
    app.forget("app")
    del app
    _tell("taps", 0)
    running = asyncio.create_task(reader.run())
    await asyncio.wait_for(_drive(reader, taps, reconnects), 1500)
    running.cancel()


os.chdir(sys.argv[1])
asyncio.run(_run(int(sys.argv[2]), int(sys.argv[3])))
