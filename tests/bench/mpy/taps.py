# Runs in MicroPython on a staged flash folder, wired to a real counter and broker: the real reader,
# and a given number of taps through it. Prints the heap after each hundred.

import gc
import sys

import esp32
import machine
import network
import ntptime

machine.Pin(0)  # the shims open their line to the counter at the first use
gc.collect()
# What is not the application's: this script and the shims that stand for the board.
_FOREIGN = gc.mem_alloc()
_ = (esp32, machine, network, ntptime)

# As boot.py and main.py do.
from firmware import app, board  # noqa: E402  isort: skip

import asyncio  # noqa: E402
import json  # noqa: E402
import os  # noqa: E402

_ANSWER_MS = 5000


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


async def _drive(reader, count):
    while not reader.link.is_up:
        await asyncio.sleep_ms(20)
    await asyncio.sleep_ms(300)
    from firmware.identify import Offer
    from iso14443 import Card

    offer = Offer(Card(b"\x5b\x3c\x2a\x19", 0x08), 0, "uid", "5B3C2A19")
    for number in range(1, count + 1):
        await _one(reader, offer)
        if number == 10 or number % 100 == 0:
            print(json.dumps({"taps": number, "live": _live_bytes(), "free": gc.mem_free()}))


async def _run(count):
    global app
    reader = app.start(board)
    app.forget("app")
    del app
    before = _live_bytes()
    print(json.dumps({"taps": 0, "live": before, "free": gc.mem_free()}))
    running = asyncio.create_task(reader.run())
    await asyncio.wait_for(_drive(reader, count), 600)
    running.cancel()


os.chdir(sys.argv[1])
asyncio.run(_run(int(sys.argv[2])))
