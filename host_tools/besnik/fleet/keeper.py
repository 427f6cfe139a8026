"""The thread of ``besnik fleet serve`` that keeps roll-outs in the database.

A database that is away stops nothing but the roll-outs: parts are given out all the same, and
what readers say meanwhile is written when it is back.
"""

from __future__ import annotations

import asyncio
import datetime as dt
import logging
import os
from collections import deque
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Final, TypeVar

import django
import msgspec

from besnik.config import Config
from besnik.contract import State, UpdateState
from besnik.fleet.fleet_link import Said
from besnik.fleet.release import Release
from besnik.store.turn import Turn

if TYPE_CHECKING:
    from besnik.store.rollouts import Order

_log = logging.getLogger(__name__)

# What may wait for a database that is away: a hundred readers, each with a whole update.
WAITING_MAX: Final = 10_000

_T = TypeVar("_T")


class Round(msgspec.Struct, frozen=True):
    """What is to be done: whom to tell, and who (shop, reader) gets no more of which release."""

    orders: list[Order]
    withdrawn: set[tuple[str, str, int]]


class Keeper:
    """Hears readers at any time, and writes and reads the database once a round."""

    def __init__(self, settings: Config) -> None:
        os.environ.setdefault("DJANGO_SETTINGS_MODULE", "besnik.site.settings")
        django.setup()
        self._online: set[tuple[str, str]] = set()
        self._heard: deque[tuple[Said, dt.datetime]] = deque()
        # One thread, so one connection.
        self._thread = ThreadPoolExecutor(1, "keeper")
        self._known: list[int] | None = None
        self._since: dt.datetime | None = None
        self._said = ""
        self._turn = Turn(settings, "fleet")
        self._is_ours = False

    async def has_turn(self) -> bool | None:
        """Tell whether this process keeps the roll-outs, or another one does.

        While the database is away, whoever kept them goes on; None: nobody knows whose turn it is.
        """
        try:
            loop = asyncio.get_running_loop()
            self._is_ours = await loop.run_in_executor(self._thread, self._turn.take)
        except OSError as error:
            self._say(type(error).__name__ if error.errno else str(error))
            return self._is_ours or None
        return self._is_ours

    def line(self, is_up: bool) -> None:
        """Take note that readers can be heard, or not any more."""
        if not is_up:  # what the broker retains may be heard before the line is said to be up
            self._online.clear()
        self._since = dt.datetime.now(dt.UTC) if is_up else None

    def hear(self, said: Said) -> None:
        """Take what a reader says of itself."""
        place = said.shop, said.reader
        if isinstance(said.message, State):
            if said.message.s != "online":
                self._online.discard(place)
                return
            self._online.add(place)
        if not said.retained and len(self._heard) < WAITING_MAX:
            self._heard.append((said, dt.datetime.now(dt.UTC)))

    async def round(self, releases: list[Release]) -> Round | None:
        """Carry the roll-outs on; None if the broker or the database is away."""
        online, since = frozenset(self._online), self._since
        if since is None:
            return None
        return await self._run(lambda: self._round(releases, online, since))

    async def told(self, orders: list[Order]) -> None:
        """Note that these readers were told."""
        from besnik.store import rollouts

        await self._run(lambda: rollouts.told(orders, dt.datetime.now(dt.UTC)))

    def close(self) -> None:
        """Let the thread end, and another process have its turn."""
        self._thread.shutdown(cancel_futures=True)
        self._turn.close()

    async def _run(self, work: Callable[[], _T]) -> _T | None:
        from django.db import Error, connection

        def done() -> _T:
            try:
                return work()
            finally:
                # A connection that is kept may be gone; and SQLite's would keep its WAL.
                connection.close()

        try:
            result = await asyncio.get_running_loop().run_in_executor(self._thread, done)
        except Error as error:
            # By its kind: the text of a database error can quote what was to be written.
            self._say(type(error).__name__)
            return None
        if self._said:
            _log.info("the database is back; roll-outs go on")
        self._said = ""
        return result

    def _say(self, problem: str) -> None:
        if self._said != problem:
            _log.warning("the database cannot be used: %s; roll-outs wait", problem)
        self._said = problem

    def _round(
        self, releases: list[Release], online: frozenset[tuple[str, str]], since: dt.datetime
    ) -> Round:
        from besnik.store import rollouts

        now = dt.datetime.now(dt.UTC)
        numbers = [release.manifest.number for release in releases]
        if numbers != self._known:
            rollouts.know(
                [
                    rollouts.Found(made.number, made.version, made.board, made.mpy, made.size)
                    for made in (release.manifest for release in releases)
                ],
                now,
            )
            self._known = numbers
        while self._heard:
            said, at = self._heard[0]
            if isinstance(said.message, UpdateState):
                rollouts.heard(said.shop, said.reader, said.message, at)
            else:
                rollouts.reborn(said.shop, said.reader, at)
            self._heard.popleft()
        return Round(rollouts.due(online, now, since), rollouts.withdrawn())
