"""A doctor's visit to a reader that is on line: its orders, and what came of them.

The reader reads no customer's card meanwhile, and starts anew when the visit ends.
"""

from __future__ import annotations

import asyncio
import itertools
import secrets
import threading
from collections.abc import Coroutine
from types import TracebackType
from typing import Any, Final, Self, TypeVar

import gmqtt
import msgspec

from besnik import contract
from besnik.broker import FLEET
from besnik.config import Broker
from besnik.contract import DoctorOrder, DoctorResult, Examination
from besnik.fleet.doctor.antenna import Step
from besnik.fleet.doctor.wiring import Settings, Wiring

CARD_S: Final = 20  # that a reader waits for one (firmware/doctor.py)
_CONNECT_S: Final = 5
# The reader has to let go of what it does, and to load what it needs.
_ANSWER_S: Final = 15
_KEPT_S: Final = 0.5
_GONE: Final = "went off line: it lost its power, or its line"
_RESULT: Final = "cmd/result"
_ORDER: Final = "cmd/doctor"

_T = TypeVar("_T")


class AwayError(RuntimeError):
    """The reader does not answer; the text, behind its name, says why that may be."""


class Visit:
    """A visit to one reader: ``with Visit(...) as visit:``. ``state`` is its last word, or None.

    ``settings`` are those the host keeps for it. AwayError when it does not answer an order;
    OSError, TimeoutError or gmqtt's MQTTError when the broker does not let the host in.
    """

    def __init__(
        self, address: Broker, password: str, shop: str, reader: str, settings: Settings
    ) -> None:
        self.problem = ""
        self.settings = settings
        self.state: contract.State | None = None
        self._address = address
        self._topics = {leaf: contract.topic(shop, reader, leaf) for leaf in ("state", _RESULT)}
        self._order_topic = contract.topic(shop, reader, _ORDER)
        self._waiting: dict[str, asyncio.Future[msgspec.Raw]] = {}
        self._name = secrets.token_hex(3)
        self._numbers = itertools.count(1)
        self._has_begun = False
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="visit", daemon=True)
        self._client = gmqtt.Client(None, clean_session=True)
        self._client.set_auth_credentials(FLEET, password)
        self._client.on_message = self._hear

    def __enter__(self) -> Self:
        self._thread.start()
        try:
            self._do(self._connect())
        except BaseException:
            self._stop()
            raise
        return self

    def __exit__(
        self,
        _kind: type[BaseException] | None,
        _error: BaseException | None,
        _trace: TracebackType | None,
    ) -> None:
        try:
            if self._has_begun:
                self._client.publish(self._order_topic, self._encoded("end")[1], qos=1)
            self._do(self._client.disconnect())
        finally:
            self._stop()

    def wiring(self) -> Wiring:
        """Return how the RC522 is wired."""
        return msgspec.json.decode(self._ask("wiring"), type=Wiring)

    def card_comes(self, within_s: int) -> bool:
        """Return whether a card can be read, at whatever gain; the reader waits for `CARD_S`."""
        return msgspec.json.decode(self._ask("card", within_s), type=bool)

    def antenna(self, times: int) -> list[Step]:
        """Return how often the card that lies there is read at each gain."""
        steps = msgspec.json.decode(self._ask("antenna"), type=list[Step])
        assert all(step.looks == times for step in steps), steps
        return steps

    def show(self, *, red: bool = False, green: bool = False, tone_hz: int = 0) -> None:
        """Switch the LED's two colours and the buzzer."""
        what: Examination = "red" if red else "green" if green else "tone" if tone_hz else "dark"
        self._ask(what)

    def health(self) -> contract.Health:
        """Return how the reader does now."""
        return msgspec.json.decode(self._ask("health"), type=contract.Health)

    def clock(self) -> tuple[int, int]:
        """Return the quality of the reader's clock (`contract.Tap`) and its Unix seconds."""
        return msgspec.json.decode(self._ask("clock"), type=tuple[int, int])

    def _ask(self, what: Examination, takes_s: float = 0) -> msgspec.Raw:
        self._has_begun = True
        return self._do(self._order(what, takes_s + _ANSWER_S))

    async def _connect(self) -> None:
        subscribed = asyncio.Event()
        self._client.on_subscribe = lambda *_: subscribed.set()
        async with asyncio.timeout(_CONNECT_S):
            await self._client.connect(self._address.host, self._address.port)
            self._client.subscribe(
                [gmqtt.Subscription(topic, qos=1) for topic in self._topics.values()]
            )
            await subscribed.wait()
        # What the broker keeps comes with the subscription.
        await asyncio.sleep(_KEPT_S)

    async def _order(self, what: Examination, timeout_s: float) -> msgspec.Raw:
        if self.state and self.state.s != "online":
            raise AwayError(_GONE)
        name, text = self._encoded(what)
        answer = self._waiting[name] = self._loop.create_future()
        self._client.publish(self._order_topic, text, qos=1)
        try:
            async with asyncio.timeout(timeout_s):
                result: msgspec.Raw = await answer
            return result
        except TimeoutError:
            raise AwayError(
                f"does not answer the order {what!r}: it is busy with an update, its firmware is"
                " older than this host's, or its line broke just now"
            ) from None
        finally:
            del self._waiting[name]

    def _encoded(self, what: Examination) -> tuple[str, bytes]:
        name = f"{self._name}-{next(self._numbers)}"
        return name, contract.encode(DoctorOrder(name, what))

    def _hear(
        self, _client: Any, topic: str, payload: bytes, _qos: int, _more: dict[str, Any]
    ) -> int:
        try:
            if topic == self._topics["state"]:
                self._note(contract.decode(payload, contract.State))
                return 0
            result = contract.decode(payload, DoctorResult)
        except contract.ContractError:
            return 0
        waiting = self._waiting.get(result.id)
        if waiting and not waiting.done():
            waiting.set_result(msgspec.Raw(bytes(result.r)))
        return 0

    def _note(self, state: contract.State) -> None:
        self.state = state
        if state.s == "online":
            return
        for waiting in self._waiting.values():
            if not waiting.done():
                waiting.set_exception(AwayError(_GONE))

    def _do(self, work: Coroutine[Any, Any, _T]) -> _T:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result()

    def _stop(self) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()
