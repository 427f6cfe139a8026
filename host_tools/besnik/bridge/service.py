"""The bridge: wires the broker's session, the desk and the group commit together."""

from __future__ import annotations

import asyncio
import logging
import time
from collections import Counter
from functools import lru_cache
from typing import Final

from besnik import contract
from besnik.bridge.desk import Desk, Settled
from besnik.bridge.group import GroupCommit
from besnik.bridge.intake import Arrival, BadInputError, read
from besnik.bridge.link import Link
from besnik.bridge.log import pairs
from besnik.config import Config
from besnik.crm.embedded import EmbeddedCrm
from besnik.crm.protocol import CrmUnavailableError
from besnik.store.hot import Recorded
from besnik.store.thread import StoreThread, StoreUnavailableError

_log = logging.getLogger(__name__)
_topic = lru_cache(maxsize=1024)(contract.topic)

# Together below the 3 s in which every process has to leave.
_FINISH_BATCH_S: Final = 1.2
_CLOSE_STORE_S: Final = 0.5
# Each reason is logged this often in full, then at most once in the interval.
_LOGGED_EACH: Final = 10
_LOG_INTERVAL_S: Final = 10.0


class Bridge:
    """One bridge process: ``run`` until ``stop``."""

    def __init__(self, settings: Config) -> None:
        self._store = StoreThread(settings)
        self._crm = EmbeddedCrm(self._store)
        self._group: GroupCommit[Arrival, Settled] = GroupCommit(
            Desk(self._store, self._crm).settle,
            failed=_failed,
            away=(StoreUnavailableError, CrmUnavailableError),
            batch_size=self._crm.capabilities.batch_size,
        )
        self._link = Link(
            settings.broker,
            on_tap=self._hear,
            on_lost=self._group.drop_waiting,
            on_ready=self._ready,
        )
        self._said_ready = False
        self._stop = asyncio.Event()
        self._taps = 0
        self._faults: Counter[str] = Counter()
        self._logged_s: dict[str, float] = {}

    def stop(self) -> None:
        """Let ``run`` finish the batch it is in and return."""
        self._stop.set()

    async def run(self) -> None:
        """Answer taps until ``stop``; ConfigError if the database URL cannot be used."""
        stopped = asyncio.create_task(self._stop.wait())
        try:
            looked = asyncio.create_task(self._look_at_store())
            await asyncio.wait({looked, stopped}, return_when=asyncio.FIRST_COMPLETED)
            if looked.done():
                looked.result()
                await self._answer_taps(stopped)
        finally:
            stopped.cancel()
            await self._store.aclose(_CLOSE_STORE_S)
        counted = {f"bad_{fault}": count for fault, count in sorted(self._faults.items())}
        _log.info(pairs("stopped", taps=self._taps, batches=self._group.batches, **counted))

    async def _look_at_store(self) -> None:
        health = await self._crm.health()
        if not health.ok:
            _log.error(pairs("store_away", reason=health.why))

    async def _answer_taps(self, stopped: asyncio.Task[bool]) -> None:
        group = asyncio.create_task(self._group.run())
        link = asyncio.create_task(self._link.run())
        try:
            await asyncio.wait({group, link, stopped}, return_when=asyncio.FIRST_COMPLETED)
            self._group.stop()
            await asyncio.wait({group}, timeout=_FINISH_BATCH_S)
            # One more turn of the loop: the handlers of the last batch send their answers.
            await asyncio.sleep(0)
        finally:
            group.cancel()
            link.cancel()
            ends = await asyncio.gather(group, link, return_exceptions=True)
        for end in ends:
            if isinstance(end, Exception):
                raise end

    def _ready(self) -> None:
        if not self._said_ready:
            print("bridge: ready", flush=True)
            self._said_ready = True

    async def _hear(self, topic: str, payload: bytes, redelivered: bool) -> None:
        """Settle one message; the broker gets its acknowledgement when this returns."""
        try:
            arrival = read(topic, payload, redelivered=redelivered)
        except BadInputError as bad:
            self._count(bad)
            return
        settled = await self._group.submit(arrival)
        if isinstance(settled, BadInputError):
            self._count(settled, reader=arrival.reader)
        elif settled is not None:
            self._taps += 1
            self._answer(arrival, settled)

    def _answer(self, arrival: Arrival, settled: Recorded) -> None:
        verdict = contract.Verdict(arrival.tap.id, settled.outcome, settled.reason)
        self._link.send(
            _topic(arrival.shop, arrival.reader, "verdict"),
            contract.encode(verdict),
            expiry_s=contract.VERDICT_EXPIRY_S,
            deadline_s=arrival.received_s + contract.VERDICT_EXPIRY_S,
        )
        # A repeat was shown before; unless the broker had to send it again, which means that
        # the answer to the first may never have left.
        if settled.repeat and not arrival.redelivered:
            return
        visit = contract.Visit(
            v=1,
            tap=arrival.tap.id,
            shop=arrival.shop,
            reader=arrival.reader,
            member=settled.member_ref,
            r=settled.outcome,
            why=settled.reason,
        )
        self._link.send(_topic(arrival.shop, arrival.reader, "visit"), contract.encode(visit))

    def _count(self, bad: BadInputError, **values: object) -> None:
        self._faults[bad.fault] += 1
        count, now = self._faults[bad.fault], time.monotonic()
        if count > _LOGGED_EACH and now - self._logged_s[bad.fault] < _LOG_INTERVAL_S:
            return
        self._logged_s[bad.fault] = now
        if bad.where:
            values["at"] = bad.where
        _log.warning(pairs("bad_input", reason=bad.fault, count=count, **values))


def _failed(error: Exception) -> BadInputError:
    # Not answered, so the reader keeps the tap; acknowledged, so it does not block the others.
    _log.error(pairs("tap_failed", error=type(error).__name__, at=_place(error)))
    return BadInputError("failed")


def _place(error: Exception) -> str:
    """Return file and line of the error; its text could quote a row."""
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    assert trace is not None
    return f"{trace.tb_frame.f_code.co_filename.rpartition('/')[2]}:{trace.tb_lineno}"
