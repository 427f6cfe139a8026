# firmware/relay.py: the host talks to the resting card through the reader.

import asyncio
import json

from fields import Watched, holding
from firmware.relay import Relay

from besnik.sim.model.ntag424_picc import ntag424
from besnik.sim.model.type2_picc import Type2Picc

TIMEOUT_S = 60
UID = bytes.fromhex("04DEBEBCFF4C80")
TAP = "00001-000001"
SELECT = "00A4040007D276000085010100"
AUTH = "9071000002000000"


class Counter(Watched):
    def __init__(self, card):
        Watched.__init__(self, holding(card=card))
        self.answers = []
        self.relay = Relay(self.chip, self.cards, self.bench.clock, self._send)
        self.presence.relay = self.relay

    @property
    def taps(self):
        return len(self.seen)

    def noted(self, offer):
        self.relay.tap_id = TAP
        return offer

    async def _send(self, message):
        self.answers.append(json.loads(message))
        return True

    def say(self, number, command=None, tx=TAP):
        message = {"tx": tx, "n": number}
        if command is None:
            message["end"] = 1
        else:
            message["c"] = command
        self.relay.on_command(json.dumps(message))

    # Runs the presence task and lets the host speak beside it.
    async def talk(self, *script):
        watching = asyncio.create_task(self.watch_ms(5000))
        clock = self.bench.clock
        self.bench.present("card")
        while not self.taps:
            await clock.sleep_ms(10)
        for number, command in script:
            before = len(self.answers)
            self.say(number, command)
            for _ in range(200):
                if command is None or len(self.answers) > before:
                    break
                await clock.sleep_ms(10)
        await watching


def _sun_card():
    return ntag424(UID, "https://corner.example/t?e={picc}&m={mac}")


async def test_commands_reach_the_card_and_answers_come_back():
    counter = Counter(_sun_card())
    await counter.talk((1, SELECT), (2, AUTH), (3, None))
    assert [a["n"] for a in counter.answers] == [1, 2]
    assert counter.answers[0]["r"] == "9000"
    assert len(counter.answers[1]["r"]) == 36 and counter.answers[1]["r"][-4:] == "91AF"
    assert all(a["tx"] == TAP for a in counter.answers)
    assert counter.taps == 1


async def test_a_type_2_card_takes_its_own_commands():
    counter = Counter(Type2Picc(bytes.fromhex("04E10CDA993C80"), "ntag213", bytes(range(32))))
    await counter.talk((1, "60"), (2, "3C00"), (3, None))
    assert counter.answers[0]["r"] == "0004040201000F03"
    assert (
        counter.answers[1]["r"]
        == "000102030405060708090A0B0C0D0E0F101112131415161718191A1B1C1D1E1F"
    )


async def test_an_ntag_424_is_asked_for_its_signature():
    card = _sun_card()
    card.app.signature = bytes(range(56))
    counter = Counter(card)
    await counter.talk((1, "903C0000010000"), (2, None))
    assert counter.answers[0]["r"] == "".join("%02X" % i for i in range(56)) + "9190"


async def test_nothing_that_writes_reaches_a_card():
    for command in (
        "00D6000001FF",  # UPDATE BINARY
        "905F000000",  # ChangeFileSettings
        "90C4000000",  # ChangeKey
        "908D000000",  # WriteData
        "A20400000000",  # Type 2 WRITE
        "FF",
        "",
    ):
        for card in (_sun_card(), Type2Picc(bytes.fromhex("04E10CDA993C80"))):
            counter = Counter(card)
            await counter.talk((1, command))
            assert counter.answers == [{"tx": TAP, "n": 1, "e": "forbidden"}], (
                command,
                counter.answers,
            )
            assert counter.taps == 1


async def test_a_card_that_left_is_gone():
    counter = Counter(_sun_card())
    counter.bench.present("card")
    await counter.watch_ms(500)
    counter.bench.remove("card")
    await counter.watch_ms(500)
    counter.say(1, SELECT)
    counter.bench.present("card")
    await counter.watch_ms(500)
    assert counter.answers == [{"tx": TAP, "n": 1, "e": "gone"}], counter.answers


async def test_another_transaction_and_a_wrong_number_are_refused():
    counter = Counter(_sun_card())
    await counter.talk((2, SELECT))
    assert counter.answers == [{"tx": TAP, "n": 2, "e": "format"}], counter.answers
    counter = Counter(_sun_card())
    counter.bench.present("card")
    await counter.watch_ms(300)
    counter.say(1, SELECT, tx="00001-000099")
    counter.say(1, SELECT)
    counter.say(1, SELECT)
    await counter.watch_ms(500)
    words = sorted(a.get("e", "answered") for a in counter.answers)
    assert words == ["answered", "busy", "gone"], counter.answers


async def test_a_silent_host_does_not_keep_the_field():
    counter = Counter(_sun_card())
    counter.bench.present("card")
    await counter.watch_ms(300)
    counter.say(1, SELECT)
    await counter.watch_ms(4000)
    counter.bench.remove("card")
    await counter.watch_ms(1000)
    counter.bench.present("card")
    await counter.watch_ms(1000)
    assert counter.taps == 2


async def test_garbage_from_the_host_is_ignored():
    counter = Counter(_sun_card())
    counter.bench.present("card")
    await counter.watch_ms(300)
    for payload in (
        b"",
        b"{",
        b"[]",
        b'"x"',
        b'{"tx":1}',
        b'{"tx":"%s","n":1,"c":"0"}' % TAP.encode(),
        b'{"tx":"%s","n":1,"c":5}' % TAP.encode(),
        b'{"tx":"%s","n":"1","c":"00A40000"}' % TAP.encode(),
        b'{"tx":5,"n":1,"c":"00A40000"}',
        b'{"tx":null,"n":1,"c":"00A40000"}',
        b'{"tx":["%s"],"n":1,"end":1}' % TAP.encode(),
    ):
        counter.relay.on_command(payload)
    await counter.watch_ms(500)
    assert counter.answers == [] and counter.taps == 1
