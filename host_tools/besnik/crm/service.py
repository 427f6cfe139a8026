"""``besnik crm run``: one process that speaks with the foreign CRMs of all programs.

It idles while none is on. The bridge never waits for it, and it never for the bridge.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import signal
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final

from django.db import DatabaseError

from besnik import config, contract
from besnik.crm import find, moving, pending, secrets, sources
from besnik.crm.breaker import Standing
from besnik.crm.ear import Ear
from besnik.crm.foreign import CrmSettingsError
from besnik.crm.front import Front, utc_now
from besnik.crm.pending import Settled
from besnik.crm.said import place
from besnik.crm.thread import DatabaseThread
from besnik.crm.worker import Worker
from besnik.store.models import CrmSource
from besnik.store.turn import Turn

_log = logging.getLogger(__name__)

# How often the programs' CRMs are looked through for one that was switched on, off or changed.
LOOK_S: Final = 2.0


class Service:
    """The CRMs that are on, each with its worker."""

    def __init__(self, settings: config.Config) -> None:
        self._settings = settings
        self._ear = Ear(settings.broker, self._heard)
        self._served: dict[int, _Served] = {}

    async def run(self) -> None:
        """Serve until cancelled."""
        async with DatabaseThread() as database:
            turn = Turn(self._settings, "crm")
            listening = asyncio.create_task(self._ear.run())
            try:
                while True:
                    await self._look(database, turn)
                    await asyncio.sleep(LOOK_S)
            finally:
                listening.cancel()
                for source in list(self._served):
                    await self._end(source)
                await asyncio.gather(listening, return_exceptions=True)
                turn.close()

    async def _look(self, database: DatabaseThread, turn: Turn) -> None:
        try:
            is_ours = await asyncio.to_thread(turn.take)
            on = await database(_on) if is_ours else []
        except (DatabaseError, OSError) as error:
            _log.warning("the database cannot be used: %s", type(error).__name__)
            return
        rows = {row.pk: row for row in on}
        for source, served in list(self._served.items()):
            if source not in rows or served.is_old(rows[source]) or served.task.done():
                await self._end(source)
        for source, row in rows.items():
            if source not in self._served:
                self._begin(row, database)
            elif row.breaker == "closed":
                self._served[source].forgive()
        if is_ours:
            await self._settle_enrolled(database)

    async def _settle_enrolled(self, database: DatabaseThread) -> None:
        """Count what waits of cards enrolled here, where no worker does: the CRM is off."""
        at_work = [served.program for served in self._served.values() if served.is_at_work]
        try:
            for program in await database(pending.resting, at_work):
                for card in await database(pending.enrolled, program):
                    for settled in await database(pending.settle_known, program, card, utc_now()):
                        self._say(settled)
        except DatabaseError as error:
            _log.warning("taps that wait are looked at again: %s", type(error).__name__)

    def _begin(self, row: CrmSource, database: DatabaseThread) -> None:
        self._served[row.pk] = _Served(row, database, self._say)

    async def _end(self, source: int) -> None:
        await self._served.pop(source).end()

    def _heard(self, visit: contract.Visit) -> None:
        for served in self._served.values():
            served.heard(visit)

    def _say(self, settled: Settled) -> None:
        self._ear.say(
            contract.Visit(
                v=1,
                tap=settled.tap,
                shop=settled.shop,
                reader=settled.reader,
                member=settled.member,
                r=settled.outcome,
                why=settled.reason,
            )
        )


class _Served:
    """One CRM that is on, and its worker."""

    def __init__(
        self, row: CrmSource, database: DatabaseThread, say: Callable[[Settled], None]
    ) -> None:
        self._key = _key(row)
        self._files = _files(row)
        self._changed_ns = _changed_ns(self._files)
        self.program = row.program_id
        self.task = asyncio.create_task(self._run(row, database, say))
        self._front: Front | None = None
        self._worker: Worker | None = None

    def is_old(self, row: CrmSource) -> bool:
        """Tell whether something that this was made of is another by now."""
        return self._key != _key(row) or self._changed_ns != _changed_ns(self._files)

    @property
    def is_at_work(self) -> bool:
        """Whether there is a worker: settings that make no adapter have none."""
        return self._worker is not None

    def heard(self, visit: contract.Visit) -> None:
        """See Worker."""
        if self._worker is not None:
            self._worker.heard(visit)

    def forgive(self) -> None:
        """See Front."""
        if self._front is not None:
            self._front.forgive()

    async def end(self) -> None:
        """End the worker, and say why if it ended by itself."""
        self.task.cancel()
        (end,) = await asyncio.gather(self.task, return_exceptions=True)
        if isinstance(end, Exception):
            _log.error("a worker ended: %s at %s", type(end).__name__, place(end))

    async def _run(
        self, row: CrmSource, database: DatabaseThread, say: Callable[[Settled], None]
    ) -> None:
        try:
            crm = find.open_source(row)
        except CrmSettingsError as error:
            _log.warning("crm of program %d: %s", row.program_id, error)
            # Once there are other settings, or its file is mended, it is tried at once.
            await database(sources.stand, row.pk, Standing("open", str(error)[:300], utc_now()))
            await asyncio.Event().wait()
            return
        try:
            self._front = Front(crm, row, database)
            self._worker = Worker(row, self._front, database, say)
            await self._worker.run()
        finally:
            await crm.aclose()


def _on() -> list[CrmSource]:
    return [row for row in CrmSource.objects.filter(is_on=True) if not moving.has_moved(row)]


def _key(row: CrmSource) -> object:
    """Return what an adapter and its worker are made of, to see when that changes."""
    try:
        known = secrets.read(row.program_id)
    except CrmSettingsError:
        known = {}
    return row.adapter, row.settings, row.numbering, row.fields, known


def _files(row: CrmSource) -> list[str]:
    """Return the files that the settings of a CRM name."""
    try:
        asks = find.adapter(row.adapter).asks_for()
    except Exception:  # an adapter of somebody else; what is wrong is said when it is opened
        return []
    return [row.settings[each.name] for each in asks if each.is_file and each.name in row.settings]


def _changed_ns(files: Sequence[str]) -> list[int]:
    """Return when files were last changed, 0 for one that cannot be looked at."""
    changed_ns = []
    for file in files:
        try:
            changed_ns.append(Path(file).stat().st_mtime_ns)
        except (OSError, ValueError):
            changed_ns.append(0)
    return changed_ns


def main() -> int:
    """Run until SIGTERM or Ctrl-C; return the exit status (2: settings cannot be used)."""
    logging.basicConfig(level=logging.ERROR, format="%(levelname)s %(message)s", force=True)
    logging.getLogger("besnik").setLevel(logging.INFO)
    try:
        settings = config.load()
    except config.ConfigError as error:
        print(f"besnik crm: {error}", file=sys.stderr)
        return 2
    asyncio.run(_serve(settings))
    return 0


async def _serve(settings: config.Config) -> None:
    running = asyncio.create_task(Service(settings).run())
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, running.cancel)
    print("crm: ready", flush=True)
    with contextlib.suppress(asyncio.CancelledError):
        await running
