"""The bridge: wires the broker's session, the desk and the group commit together."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from collections.abc import Sequence
from functools import partial
from typing import Final

from besnik import contract
from besnik.bridge.account import account
from besnik.bridge.answers import Answers
from besnik.bridge.case import Presented
from besnik.bridge.connection import Delivery
from besnik.bridge.desk import Challenge, Desk, Settled
from besnik.bridge.group import GroupCommit
from besnik.bridge.intake import Arrival, BadInputError, read, read_answer, read_report
from besnik.bridge.link import Link
from besnik.bridge.log import pairs, place
from besnik.bridge.lookout import Lookout
from besnik.bridge.metrics import Metrics
from besnik.bridge.relay import ANSWERS, Failed, Relay
from besnik.bridge.reports import LEAVES, Reports
from besnik.bridge.state import BridgeState
from besnik.bridge.tally import Tally
from besnik.bridge.watch import StoreWatch
from besnik.config import Config
from besnik.credentials.assess import Assessor, Credential
from besnik.credentials.keyring import Keys
from besnik.crm.embedded import EmbeddedCrm
from besnik.crm.every import CrmAwayError
from besnik.store.access import StoreAccess
from besnik.store.hot import Recorded

_log = logging.getLogger(__name__)

_TAP: Final = "/tap"
_ANSWERS: Final = "/" + ANSWERS
# Together below the 3 s in which every process has to leave. One that hangs in a disk cannot.
_FINISH_BATCH_S: Final = 1.0
_SAY_GOODBYE_S: Final = 0.4
_CLOSE_STORE_S: Final = 0.5


class Bridge:
    """One bridge process: ``run`` until ``stop``."""

    def __init__(self, settings: Config, keys: Keys) -> None:
        self._settings = settings.bridge
        self._tally = Tally()
        self._metrics = Metrics()
        self._state = BridgeState(self._say_state)
        self._reports = Reports(settings, self._tally)
        self._store = StoreAccess(settings)
        self._crm = EmbeddedCrm(self._store)
        self._desk = Desk(self._crm, Assessor(keys), self._tally)
        self._group: GroupCommit[Presented, Settled] = GroupCommit(
            self._settle_batch,
            failed=self._failed,
            away=(CrmAwayError,),
            batch_size=self._crm.capabilities.write_max,
        )
        name = account(settings)
        self._link = Link(
            settings.broker,
            name,
            self._state.will,
            on_message=self._hear,
            on_lost=self._lost,
            on_ready=self._ready,
        )
        self._answers = Answers(self._link, self._metrics)
        self._relay = Relay(self._command, self._tally, is_alone=not name.is_shared)
        self._watch = StoreWatch(self._group, self._crm.health, self._state.change)
        self._lookout = Lookout(lambda: self._store.busy_here_s, self._hangs)
        self._loop: asyncio.AbstractEventLoop | None = None
        self._said_ready = False
        self._stop = asyncio.Event()
        self._talks: set[asyncio.Task[Settled | None]] = set()
        self._taps = 0
        if not keys.sun and not keys.ev2:
            _log.info(pairs("no_keys", so="only cards without cryptography are known"))

    def stop(self) -> None:
        """Let ``run`` finish the batch it is in and return."""
        self._stop.set()

    async def run(self) -> None:
        """Answer taps until ``stop``; ConfigError if database URL or metrics port are no good."""
        self._show_metrics()
        self._loop = asyncio.get_running_loop()
        self._lookout.start()
        stopped = asyncio.create_task(self._stop.wait())
        try:
            looked = asyncio.create_task(self._look_at_store())
            await asyncio.wait({looked, stopped}, return_when=asyncio.FIRST_COMPLETED)
            if looked.done():
                looked.result()
                await self._answer_taps(stopped)
        finally:
            stopped.cancel()
            self._lookout.stop()
            self._reports.stop()
            await self._store.aclose(_CLOSE_STORE_S)
        totals = self._tally.totals()
        _log.info(pairs("stopped", taps=self._taps, batches=self._group.batches, **totals))

    async def _look_at_store(self) -> None:
        health = await self._crm.health()
        if not health.ok:
            _log.error(pairs("store_away", reason=health.why))
            self._state.change(False)

    async def _answer_taps(self, stopped: asyncio.Task[bool]) -> None:
        group = asyncio.create_task(self._group.run())
        tasks = [
            group,
            asyncio.create_task(self._link.run()),
            asyncio.create_task(self._watch.run()),
        ]
        try:
            await asyncio.wait({*tasks, stopped}, return_when=asyncio.FIRST_COMPLETED)
            self._group.stop()
            await asyncio.wait({group}, timeout=_FINISH_BATCH_S)
            # One more turn of the loop: the handlers of the last batch send their answers.
            await asyncio.sleep(0)
            self._state.leave()
            await self._link.finish(_SAY_GOODBYE_S)
        finally:
            for task in tasks:
                task.cancel()
            ends = await asyncio.gather(*tasks, return_exceptions=True)
        for end in ends:
            if isinstance(end, Exception):
                raise end

    def _show_metrics(self) -> None:
        show = self._metrics.watch
        show("taps_waiting", "Taps that are not settled.", lambda: self._group.waiting)
        show("store_away", "1: taps cannot be settled.", lambda: not self._state.answers)
        show("broker_connected", "1: at the broker.", lambda: self._link.is_connected)
        if self._settings.metrics_port:
            self._metrics.serve(self._settings.metrics_port + self._settings.instance)

    def _say_state(self, said: bytes) -> None:
        self._link.announce(contract.BRIDGE_STATE, said)

    def _hangs(self) -> None:
        """Tell readers not to wait, on another thread: the event loop is stuck in the database."""
        _log.error(pairs("store_hangs", so="readers are told not to wait"))
        self._link.cry(contract.BRIDGE_STATE, self._state.silent)
        if self._loop is not None:
            # Once it is back it says how it is. A loop that is closed by then says nothing.
            with contextlib.suppress(RuntimeError):
                self._loop.call_soon_threadsafe(self._state.arrive)

    def _ready(self) -> None:
        self._state.arrive()
        if not self._said_ready:
            print("bridge: ready", flush=True)
            self._said_ready = True

    def _lost(self) -> None:
        self._relay.drop()
        self._group.drop_waiting()

    def _hear(self, delivery: Delivery) -> None:
        """Take one message."""
        arrival = None
        try:
            if delivery.topic.endswith(_TAP):
                arrival = read(delivery.topic, delivery.payload, redelivered=delivery.redelivered)
            else:
                self._note(delivery)
        except BadInputError as bad:
            self._count(bad)
            delivery.done()
        except Exception as error:
            # A fault of ours. Without an acknowledgement it would come again and again, and hold
            # a place among the messages under way.
            self._count(self._failed(error))
            delivery.done()
        else:
            if arrival is None:
                delivery.done()
            elif self._relay.talks_of(arrival):
                self._talk(delivery, arrival, None)
            else:
                self._group.add(Presented(arrival), partial(self._settled, delivery, arrival))

    def _note(self, delivery: Delivery) -> None:
        """Take what was said beside taps."""
        topic = delivery.topic
        if topic == contract.BRIDGE_STATE:
            self._state.hear(delivery.payload)
        elif topic.endswith(_ANSWERS):
            self._relay.hear(*read_answer(topic, delivery.payload))
        elif topic.endswith(LEAVES):
            self._reports.hear(read_report(topic, delivery.payload))
        else:
            raise BadInputError("topic")

    def _settled(self, delivery: Delivery, arrival: Arrival, settled: Settled | None) -> None:
        """Answer a tap, and acknowledge it."""
        try:
            if isinstance(settled, Recorded):
                self._taps += 1
                self._answers.send(arrival, settled)
            elif isinstance(settled, BadInputError):
                self._count(settled, reader=arrival.reader)
            elif settled is not None:
                self._talk(delivery, arrival, settled)
                return
        except Exception as error:
            self._count(self._failed(error))
        delivery.done()

    def _talk(self, delivery: Delivery, arrival: Arrival, challenge: Challenge | None) -> None:
        """Have the card of a tap asked, or wait until it has been, and settle the tap then."""
        talk = asyncio.create_task(self._settle(arrival, challenge))
        self._talks.add(talk)
        talk.add_done_callback(partial(self._talked, delivery, arrival))

    def _talked(
        self, delivery: Delivery, arrival: Arrival, talk: asyncio.Task[Settled | None]
    ) -> None:
        self._talks.discard(talk)
        error = None if talk.cancelled() else talk.exception()
        if isinstance(error, Exception):
            self._settled(delivery, arrival, self._failed(error))
        elif error is None and not talk.cancelled():
            self._settled(delivery, arrival, talk.result())

    async def _settle_batch(self, batch: Sequence[Presented]) -> list[Settled]:
        began_s = time.perf_counter()
        settled = await self._desk.settle(batch)
        self._metrics.settled(len(batch), time.perf_counter() - began_s)
        return settled

    async def _settle(self, arrival: Arrival, challenge: Challenge | None) -> Settled | None:
        """Return the verdict, why there is none, or None if the tap comes again."""
        if challenge is None:
            await self._relay.passed(arrival)
            settled = await self._group.submit(Presented(arrival))
            if not isinstance(settled, Challenge):
                return settled
            challenge = settled
        asked = await self._relay.ask(arrival, challenge.exchange)
        self._metrics.talked(_outcome(asked))
        if asked is None:
            return None
        settled = await self._group.submit(Presented(arrival, asked))
        assert not isinstance(settled, Challenge), "a card is asked once"
        return settled

    def _command(self, topic: str, payload: bytes, deadline_s: float) -> None:
        self._link.send(topic, payload, expiry_s=contract.APDU_TOTAL_S, deadline_s=deadline_s)

    def _failed(self, error: Exception) -> BadInputError:
        # Not answered, so the reader keeps the tap; acknowledged, so it does not block the others.
        self._tally.count("tap_failed", type(error).__name__, at=place(error))
        return BadInputError("failed")

    def _count(self, bad: BadInputError, **values: object) -> None:
        if bad.where:
            values["at"] = bad.where
        self._metrics.refused(bad.fault)
        self._tally.count("bad_input", bad.fault, **values)


def _outcome(asked: Credential | Failed | None) -> str:
    if isinstance(asked, Credential):
        return "proved"
    return asked or "dropped"
