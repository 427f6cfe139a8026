"""The bridge is killed at every stage of a tap; every tap is counted, as under Kills.

`strace` kills it with SIGKILL as it enters a chosen system call: the n-th wait for the disk, write
to the database, send to the broker, receive from it. Meanwhile a reader taps and sends each tap
until it is answered; then the next bridge starts, and all taps so far are counted.
"""

from __future__ import annotations

import asyncio
import shutil
from typing import Final

from figures import Figure
from kills import counted
from parts import Parts, parts

from support.bridge import ANA
from support.outbox_reader import OutboxReader
from support.processes import Running, wait_until
from support.reckoning import Count, reckon

TITLE = "Stages"
_POINTS: Final = (
    *(("fdatasync", number) for number in range(1, 5)),
    *(("pwrite64", number) for number in range(1, 24)),
    *(("sendto", number) for number in range(1, 24)),
    *(("recvfrom", number) for number in range(1, 12)),
)
_LIFE_S: Final = 30.0


def measure() -> list[Figure]:
    """Kill at each point, where there is strace."""
    if shutil.which("strace") is None:
        return [Figure("Stages", "not measured: strace is not installed")]
    with parts() as made:
        return counted(f"{len(_POINTS)} points", "taps", asyncio.run(_kill(made)))


async def _kill(made: Parts) -> Count:
    reader = OutboxReader(made.broker, "counter-1", ANA, 1)
    running = asyncio.create_task(reader.run())
    count = Count()
    for call, number in _POINTS:
        doomed = made.bridge.start(ready=False, under=_at(call, number))
        await _tap(reader, doomed)
        doomed.kill()
        heir = await asyncio.to_thread(made.bridge.start)
        await asyncio.to_thread(wait_until, lambda: not reader.outbox, "all is answered", 30)
        heir.kill()
        count = await asyncio.to_thread(reckon, made.url, [], [reader])
        print(f"{call} {number}: {count}", flush=True)
        if not count.is_clean:
            break
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
    return count


def _at(call: str, number: int) -> list[str]:
    inject = f"inject={call}:signal=SIGKILL:when={number}"
    return ["strace", "-f", "-qq", "-o", "/dev/null", "-e", f"trace={call}", "-e", inject]


async def _tap(reader: OutboxReader, doomed: Running) -> None:
    loop = asyncio.get_running_loop()
    until = loop.time() + _LIFE_S
    while doomed.alive:
        assert loop.time() < until, "the bridge was not killed"
        reader.tap()
        await asyncio.sleep(0.02)
