"""``besnik run``: starts the demo shop, shows its taps, ends it."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import signal
import sys
import tempfile
import time
from collections.abc import Coroutine
from pathlib import Path
from typing import Any

from besnik import broker, demo
from besnik.broker import BrokerError
from besnik.fleet.register import CertificateError
from besnik.run import history, members, ports, presentations, show
from besnik.run.children import ChildError
from besnik.run.demo import HOST, prepare
from besnik.run.lock import FolderInUseError, hold
from besnik.run.running import running
from besnik.run.shop import ROOT
from besnik.run.show import say
from besnik.sim.control import ControlError
from besnik.sim.reader import StageError
from besnik.sim.umqtt import UmqttError

BROKER_PORT = 1883
READERS_PORT = 8883
SITE_PORT = 8000
_STOP_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
CACHE = ROOT / ".besnik/cache"
_INTERRUPTED = 130  # 128 and SIGINT, as shells say it
_PROBLEMS = (
    BrokerError,
    CertificateError,
    ChildError,
    ControlError,
    FolderInUseError,
    StageError,
    UmqttError,
    ports.PortError,
    OSError,
)


def main(folder: Path, *, once: bool, is_empty: bool = False) -> int:
    """Run the demo shop until a signal, or the five presentations; return the exit status.

    ``is_empty``: nothing was ever sold in it.
    """
    # The monitor reconnects by itself; what its library mutters is nothing to act on.
    logging.getLogger("gmqtt").setLevel(logging.CRITICAL)
    if os.environ.pop("BESNIK_DATABASE_URL", None):
        say("besnik: BESNIK_DATABASE_URL is set; the demo leaves that database alone")
    # Until the loop takes them over: what is being unpacked ends with this process too.
    for number in _STOP_SIGNALS:
        signal.signal(number, signal.default_int_handler)
    try:
        mosquitto = broker.find(CACHE, _tell)
        if once:
            with tempfile.TemporaryDirectory(prefix="besnik-once-") as scratch:
                return _until_stopped(_once(Path(scratch), mosquitto), _INTERRUPTED)
        with hold(folder.resolve()):
            return _until_stopped(_serve(folder, mosquitto, is_empty=is_empty), 0)
    except _PROBLEMS as problem:
        print(f"besnik: {problem}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return _INTERRUPTED if once else 0


def _tell(text: str) -> None:
    say(f"besnik: {text}")


def _until_stopped(work: Coroutine[Any, Any, int], if_stopped: int) -> int:
    """Run ``work``; the first SIGINT, SIGTERM or SIGHUP ends it in order: ``if_stopped``."""

    async def supervised() -> int:
        task = asyncio.ensure_future(work)
        asked = asyncio.Event()

        def stop() -> None:
            if not asked.is_set():
                asked.set()
                task.cancel()

        loop = asyncio.get_running_loop()
        for number in _STOP_SIGNALS:
            loop.add_signal_handler(number, stop)
        with contextlib.suppress(asyncio.CancelledError):
            return await task
        return if_stopped

    return asyncio.run(supervised())


async def _serve(folder: Path, mosquitto: broker.Mosquitto, *, is_empty: bool) -> int:
    began_s = time.monotonic()
    say("besnik: starting broker, bridge, site, counter and reader")
    prepared = prepare(
        folder,
        broker_port=ports.choose("broker", HOST, BROKER_PORT, _tell),
        readers_port=ports.choose("broker for readers", HOST, READERS_PORT, _tell),
        site_port=ports.choose("site", HOST, SITE_PORT, _tell),
    )
    async with running(prepared, mosquitto, say) as demo_shop:
        say(show.welcome(prepared, time.monotonic() - began_s))
        await demo_shop.shop.start_rest()
        filling = None if is_empty else asyncio.create_task(history.fill(prepared))
        try:
            while True:
                tap = await demo_shop.watch.over.get()
                found = await members.tap_file(demo.READER, tap.tap.id)
                say(show.line(tap, found))
        finally:
            if filling is not None:
                filling.cancel()
                await asyncio.gather(filling, return_exceptions=True)


async def _once(scratch: Path, mosquitto: broker.Mosquitto) -> int:
    prepared = prepare(
        scratch,
        broker_port=ports.any_free(HOST),
        readers_port=ports.any_free(HOST),
        site_port=ports.any_free(HOST),
    )
    async with running(prepared, mosquitto, say) as shop:
        return await presentations.play(shop)
