"""``besnik fleet serve``: gives readers the parts of the releases they ask for."""

from __future__ import annotations

import asyncio
import logging
import signal
import sys
from pathlib import Path
from typing import Final

from besnik import broker, config
from besnik.fleet.fleet_link import FleetLink
from besnik.fleet.releases import Releases

LOOK_S: Final = 2.0


def main() -> int:
    """Serve until SIGTERM or Ctrl-C; return the exit status."""
    logging.basicConfig(level=logging.INFO, format="fleet: %(message)s", stream=sys.stderr)
    # It reconnects by itself; what gmqtt mutters meanwhile is nothing to act on.
    logging.getLogger("gmqtt").setLevel(logging.CRITICAL)
    try:
        asyncio.run(_serve(config.load()))
    except (broker.BrokerError, config.ConfigError, OSError) as error:
        print(f"besnik fleet serve: {error}", file=sys.stderr)
        return 1
    return 0


async def _serve(settings: config.Config) -> None:
    loop = asyncio.get_running_loop()
    stopped = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stopped.set)
    state = Path(settings.state)
    releases = Releases(state)
    password = broker.passwords(state / "broker", [broker.FLEET])[broker.FLEET]
    link = FleetLink(settings.broker, password, releases.part, lambda _said: None)
    tasks = [asyncio.create_task(_look(releases)), asyncio.create_task(link.run())]
    ended = asyncio.create_task(stopped.wait())
    await asyncio.wait({*tasks, ended}, return_when=asyncio.FIRST_COMPLETED)
    for task in (*tasks, ended):
        task.cancel()
    for result in await asyncio.gather(*tasks, return_exceptions=True):
        if isinstance(result, Exception):
            raise result


async def _look(releases: Releases) -> None:
    while True:
        releases.look()
        await asyncio.sleep(LOOK_S)
