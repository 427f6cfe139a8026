"""``besnik fleet serve``: tells readers to update, and gives them the parts they ask for."""

from __future__ import annotations

import asyncio
import logging
import os
import signal
import sys
import time
from collections.abc import Coroutine
from pathlib import Path
from typing import Any, Final

from besnik import broker, config
from besnik.contract import UpdateAsk, UpdateOrder, UpdateState
from besnik.fleet import signing
from besnik.fleet.fleet_link import FleetLink, Said
from besnik.fleet.keeper import Keeper
from besnik.fleet.releases import Releases

_log = logging.getLogger(__name__)

ROUND_S: Final = 1.0
# The broker sends what it retains, which readers are on line, right behind the subscription.
SETTLE_S: Final = 0.3
# A reader that comes on line later is told again.
ORDER_EXPIRY_S: Final = 60


def main() -> int:
    """Serve until SIGTERM or Ctrl-C; return the exit status."""
    os.nice(5)  # whoever waits at a till or for a page comes first
    try:
        asyncio.run(_serve(config.load()))
    except (config.ConfigError, OSError) as error:
        print(f"besnik fleet serve: {error}", file=sys.stderr)
        return 1
    return 0


async def _serve(settings: config.Config) -> None:
    loop = asyncio.get_running_loop()
    stopped = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stopped.set)
    server = Server(settings)
    _log_as_fleet()
    looking = asyncio.create_task(asyncio.to_thread(_warn_of_keys, Path(settings.state)))
    try:
        await _first_of(server.run(), stopped.wait())
    finally:
        server.keeper.close()
        await looking


def _warn_of_keys(state: Path) -> None:
    for key in signing.keys_in(state):
        _log.warning(
            "%s is a key that signs releases, or may be: whoever gets into this host can then"
            " change every reader. Take it away from here, to the machine that makes releases",
            key,
        )


async def _first_of(*works: Coroutine[Any, Any, object]) -> None:
    """Do all of it until something ends, which cancels the others; raise what failed."""
    tasks = [asyncio.create_task(work) for work in works]
    try:
        done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
    for task in done:
        task.result()


def _log_as_fleet() -> None:
    """Log as this program does: the keeper's Django has set up what the site does."""
    logging.basicConfig(
        level=logging.INFO, format="fleet: %(message)s", stream=sys.stderr, force=True
    )
    # FleetLink connects again by itself; what gmqtt mutters meanwhile is nothing to act on.
    for name in ("gmqtt", "besnik.fleet.fleet_link.gmqtt"):
        logging.getLogger(name).setLevel(logging.CRITICAL)


class Server:
    """Wires the line to the readers, the releases in memory and the roll-outs together."""

    def __init__(self, settings: config.Config) -> None:
        state = Path(settings.state)
        password = broker.passwords(state / "broker", [broker.FLEET])[broker.FLEET]
        self.keeper = Keeper(settings)
        self._link = FleetLink(settings.broker, password, self._part, self._hear, self.keeper.line)
        self._releases = Releases(state)
        self._withdrawn: set[tuple[str, str, int]] = set()

    async def run(self) -> None:
        """Serve whenever no other process does, for ever."""
        is_said = False
        while True:
            turn = await self.keeper.has_turn()
            if turn:
                await _first_of(self._link.run(), self._rounds())
                is_said = False
            if turn is False and not is_said:
                _log.warning(
                    "another besnik fleet serve looks after the readers of this database; this one"
                    " does when that has ended"
                )
                is_said = True
            await asyncio.sleep(ROUND_S)

    async def _rounds(self) -> None:
        """Look after releases and roll-outs until another process does."""
        await asyncio.sleep(SETTLE_S)
        while await self.keeper.has_turn():
            found = await asyncio.to_thread(self._releases.look)
            if done := await self.keeper.round(found):
                self._withdrawn = done.withdrawn
                told = [
                    order
                    for order in done.orders
                    if self._order(order.shop, order.reader, order.number, f"{order.row}")
                ]
                await self.keeper.told(told)
            await asyncio.sleep(ROUND_S)

    def _part(self, shop: str, reader: str, ask: UpdateAsk) -> bytes | None:
        if (shop, reader, ask.n) in self._withdrawn:
            return None
        return self._releases.part(ask.n, ask.f, ask.o)

    def _hear(self, said: Said) -> None:
        self.keeper.hear(said)
        message = said.message
        if isinstance(message, UpdateState) and message.s == "trying" and not said.retained:
            # That it was heard is what the reader waits for before it keeps the release.
            self._order(said.shop, said.reader, message.n, "ok", is_ok=True)

    def _order(
        self, shop: str, reader: str, number: int, name: str, *, is_ok: bool = False
    ) -> bool:
        expires = int(time.time()) + ORDER_EXPIRY_S
        order = UpdateOrder(name, number, expires, ok=is_ok)
        return self._link.order(shop, reader, order, ORDER_EXPIRY_S)


if __name__ == "__main__":
    sys.exit(main())
