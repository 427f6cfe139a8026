"""The talk with a card under whatever a reader may say: it ends, in time, with an outcome."""

from __future__ import annotations

import asyncio
import datetime as dt
import json
import time
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from besnik import contract
from besnik.bridge import relay
from besnik.bridge.intake import Arrival, BadInputError, read_answer
from besnik.bridge.relay import Failed, Relay
from besnik.bridge.tally import Tally
from besnik.credentials.assess import Assessor, Credential
from besnik.credentials.keyring import Ev2Key, Keys, Secret
from besnik.sim.model.desfire_picc import desfire

AID, KEY = bytes.fromhex("4F5742"), bytes.fromhex("5A4B3C2D1E0F9A8B7C6D5E4F3A2B1C0D")
UID, TAP = "04E1E2E3E4E5E6", "00042-000001"
ASSESSOR = Assessor(Keys(ev2=(Ev2Key(1, "4F5742", 1, Secret(KEY), diversified=False),)))


def arrival(tap: str = TAP, reader: str = "counter-1") -> Arrival:
    return Arrival(
        shop="corner",
        reader=reader,
        tap=contract.Tap(1, tap, "uid", UID, 0, 2, 0, 0x20),
        redelivered=False,
        received_at=dt.datetime.now(dt.UTC),
        received_s=time.monotonic(),
    )


def topic_of(reader: str = "counter-1") -> str:
    return f"besnik/v1/corner/{reader}/apdu/rsp"


class Reader:
    """A reader with our card on it; ``odd`` are messages it says before it behaves."""

    def __init__(self, odd: list[bytes]) -> None:
        self.card = desfire(bytes.fromhex(UID), {AID: [bytes(16), KEY]}).app
        self.relay = Relay(self._send, Tally())
        self.commands: list[contract.ApduCommand] = []
        self._odd = odd

    async def ask(self) -> Credential | Failed | None:
        exchange = ASSESSOR.challenge(UID)
        assert exchange is not None
        return await self.relay.ask(arrival(), exchange)

    def _send(self, _topic: str, payload: bytes, _deadline_s: float) -> None:
        command = contract.decode(payload, contract.ApduCommand)
        self.commands.append(command)
        asyncio.get_running_loop().call_soon(self._answer, command)

    def _answer(self, command: contract.ApduCommand) -> None:
        while self._odd:
            self.say(self._odd.pop(0))
        if isinstance(command.c, str):
            said = self.card.apdu(bytes.fromhex(command.c))
            assert said is not None
            self.say(
                contract.encode(contract.ApduAnswer(command.tx, command.n, said.hex().upper()))
            )

    def say(self, payload: bytes) -> None:
        try:
            shop, reader, answer = read_answer(topic_of(), payload)
        except BadInputError:
            return
        self.relay.hear(shop, reader, answer)


async def test_a_card_of_ours_is_proved() -> None:
    reader = Reader([])
    proved = await reader.ask()
    assert isinstance(proved, Credential)
    assert (proved.ref.data, proved.tier) == (UID, "A")
    assert [command.n for command in reader.commands] == [1, 2, 3, 4, 5]
    assert reader.commands[-1].end == 1


def answers() -> st.SearchStrategy[bytes]:
    fields = st.fixed_dictionaries(
        {
            "tx": st.sampled_from([TAP, "00042-000002"]) | st.text(max_size=12),
            "n": st.integers(-1, 7) | st.none(),
        },
        optional={
            "r": st.binary(max_size=60).map(lambda data: data.hex().upper()) | st.text(max_size=9),
            "e": st.sampled_from(["gone", "timeout", "protocol", "x"]),
        },
    )
    return fields.map(lambda value: json.dumps(value).encode()) | st.binary(max_size=80)


@settings(max_examples=150, deadline=None)
@given(st.lists(answers(), max_size=12))
def test_whatever_the_reader_says_the_talk_ends_with_an_outcome(odd: list[bytes]) -> None:
    async def talk() -> None:
        async with asyncio.timeout(1):
            outcome = await Reader(odd).ask()
        assert outcome in ("refuted", "unanswered") or isinstance(outcome, Credential)
        if isinstance(outcome, Credential):
            assert outcome.ref.data == UID

    asyncio.run(talk())


class Silent:
    """A reader that says nothing by itself."""

    def __init__(self) -> None:
        self.relay = Relay(self._send, Tally())
        self.commands: list[dict[str, Any]] = []

    def _send(self, _topic: str, payload: bytes, _deadline_s: float) -> None:
        self.commands.append(json.loads(payload))

    def ask(self, tap: str = TAP, reader: str = "counter-1") -> asyncio.Task[Any]:
        exchange = ASSESSOR.challenge(UID)
        assert exchange is not None
        return asyncio.create_task(self.relay.ask(arrival(tap, reader), exchange))


async def test_a_connection_that_is_lost_leaves_every_tap_undecided() -> None:
    silent = Silent()
    tasks = [silent.ask(reader=reader) for reader in ("counter-1", "counter-2")]
    await asyncio.sleep(0)
    silent.relay.drop()
    assert await asyncio.gather(*tasks) == [None, None]
    assert [command["n"] for command in silent.commands] == [1, 1]


async def test_a_talk_that_is_over_leaves_nothing_open(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(relay.contract, "APDU_TOTAL_S", 0.05)
    silent = Silent()
    task = silent.ask()
    await asyncio.sleep(0)
    copy = asyncio.create_task(silent.relay.passed(arrival()))
    stranger = asyncio.create_task(silent.relay.passed(arrival("00042-000009")))
    await asyncio.sleep(0.01)
    assert (copy.done(), stranger.done()) == (False, True)
    # Somebody has sent the tap again meanwhile: that one is going to be decided.
    assert await task is None
    await asyncio.wait_for(copy, 1)
    await asyncio.wait_for(silent.relay.passed(arrival()), 1)
    assert silent.commands[-1] == {"tx": TAP, "n": 2, "end": 1}
    silent.relay.drop()
