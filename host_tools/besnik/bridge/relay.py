"""Talks to the card that lies on a reader: commands out, answers in, one talk at a reader.

The reader carries the bytes; keys and judgement stay here. A card that stalls, leaves or lies
ends its own talk and holds up no other tap.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from typing import Final, Literal

from besnik import contract
from besnik.bridge.intake import Arrival
from besnik.bridge.limits import Rate
from besnik.bridge.tally import Tally
from besnik.credentials.assess import Credential
from besnik.credentials.exchange import Exchange, ExchangeError

COMMANDS: Final = "apdu/cmd"
ANSWERS: Final = "apdu/rsp"

# ``refuted``: the card answered, and is not what we have keys for. ``unanswered``: it did not
# say enough in time to tell.
Failed = Literal["refuted", "unanswered"]
Send = Callable[[str, bytes, float], None]


class _NoAnswerError(Exception):
    """The talk is over without a word of the card; the text says why."""


class _DroppedError(Exception):
    """The connection is gone: the tap comes again."""


class _Talk:
    """One talk: the tap it is for, the number of the command that is out, and its answer."""

    def __init__(self, tap_id: str) -> None:
        self.tap_id = tap_id
        self.step = 0
        self.copies = 0
        self.over = asyncio.Event()
        self._answer: asyncio.Future[bytes] | None = None
        self._end: Exception | None = None

    def begin_step(self) -> int:
        """Return the number of the next command; raises what has ended the talk meanwhile."""
        if self._end is not None:
            raise self._end
        self.step += 1
        self._answer = asyncio.get_running_loop().create_future()
        return self.step

    async def answer(self) -> bytes:
        """Return the answer to the command that is out; raises what ends the talk."""
        assert self._answer is not None, "no command is out"
        return await self._answer

    def take(self, answer: bytes) -> None:
        """Take the answer to the command that is out, the first one."""
        if self._answer is not None and not self._answer.done():
            self._answer.set_result(answer)

    def end(self, why: Exception) -> None:
        """End the talk from outside."""
        self._end = why
        if self._answer is not None and not self._answer.done():
            self._answer.set_exception(why)


class _Line:
    """What is known of one reader: the talk that is open there, and how often there was one."""

    def __init__(self) -> None:
        self.talk: _Talk | None = None
        self.rate = Rate()


class Relay:
    """The talks of all readers. ``send(topic, payload, deadline_s)`` publishes a command.

    Every bridge hears every answer; only one that ``is_alone`` wonders about those to nobody.
    """

    def __init__(self, send: Send, tally: Tally, *, is_alone: bool = True) -> None:
        self._send = send
        self._is_alone = is_alone
        self._tally = tally
        self._lines: dict[tuple[str, str], _Line] = {}

    async def ask(
        self, arrival: Arrival, exchange: Exchange[Credential]
    ) -> Credential | Failed | None:
        """Lead ``exchange`` with the card of a tap; return what came of it.

        None: nothing is to be written, because the same tap comes again or is here again.
        """
        line = self._lines.setdefault((arrival.shop, arrival.reader), _Line())
        if line.talk is not None:
            # A new tap at a reader means that the card before has left it.
            line.talk.end(_NoAnswerError("gone"))
        if not line.rate.allows(time.monotonic()):
            self._tally.count("relay_failed", "limit", reader=arrival.reader)
            return "unanswered"
        talk = line.talk = _Talk(arrival.tap.id)
        try:
            async with asyncio.timeout(contract.APDU_TOTAL_S):
                return await self._lead(talk, arrival, exchange)
        except ExchangeError as error:
            self._tally.count("relay_refuted", error.reason, reader=arrival.reader)
            return "refuted"
        except (_NoAnswerError, TimeoutError) as error:
            self._tally.count("relay_failed", str(error) or "late", reader=arrival.reader)
            # The reader has told the customer meanwhile that the tap is stored: the copy counts.
            return None if talk.copies else "unanswered"
        except _DroppedError:
            return None
        finally:
            exchange.close()
            talk.over.set()
            if line.talk is talk:
                line.talk = None

    def talks_of(self, arrival: Arrival) -> bool:
        """Tell whether a talk is open for the same tap."""
        line = self._lines.get((arrival.shop, arrival.reader))
        return line is not None and line.talk is not None and line.talk.tap_id == arrival.tap.id

    async def passed(self, arrival: Arrival) -> None:
        """Return when no talk is open for the same tap; at once if it is not a copy of such."""
        line = self._lines.get((arrival.shop, arrival.reader))
        talk = None if line is None else line.talk
        if talk is not None and talk.tap_id == arrival.tap.id:
            talk.copies += 1
            await talk.over.wait()

    def hear(self, shop: str, reader: str, answer: contract.ApduAnswer) -> None:
        """Take a reader's answer; one that nobody waits for is counted and ignored."""
        line = self._lines.get((shop, reader))
        talk = None if line is None else line.talk
        if talk is None or (talk.tap_id, talk.step) != (answer.tx, answer.n):
            if talk is None and not self._is_alone:
                return
            self._tally.count("relay_ignored", "late", reader=reader)
        elif isinstance(answer.r, str):
            talk.take(bytes.fromhex(answer.r))
        else:
            talk.end(_NoAnswerError(str(answer.e)))

    def drop(self) -> None:
        """End every talk without an outcome: the connection is gone, and the taps come again."""
        for line in self._lines.values():
            if line.talk is not None:
                line.talk.end(_DroppedError())

    async def _lead(
        self, talk: _Talk, arrival: Arrival, exchange: Exchange[Credential]
    ) -> Credential:
        topic = contract.topic(arrival.shop, arrival.reader, COMMANDS)
        # Late for the card, but the reader still takes the end of the talk.
        deadline_s = time.monotonic() + contract.APDU_TOTAL_S + 1
        over_there = False

        def send(command: contract.ApduCommand) -> None:
            self._send(topic, contract.encode(command), deadline_s)

        try:
            while (command := exchange.command) is not None:
                step = talk.begin_step()
                send(contract.ApduCommand(talk.tap_id, step, c=command.hex().upper()))
                exchange.answer(await talk.answer())
        except (_NoAnswerError, _DroppedError):
            over_there = True
            raise
        finally:
            if not over_there:
                send(contract.ApduCommand(talk.tap_id, talk.step + 1, end=1))
        return exchange.result
