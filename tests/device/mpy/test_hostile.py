# Thousands of answers that no card should give: every exchange ends with a known reason, and the
# heap is back where it was.

import gc
import json

from firmware.identify import Identifier
from firmware.presence import Presence
from firmware.relay import Relay
from iso14443 import CardError, TypeA
from isodep import IsoDep
from mfrc522 import MFRC522
from type2 import Type2
from type4 import read_ndef

from bench import Bench
from besnik.sim.model.crc import with_crc
from besnik.sim.model.noise import PARITY, PROTOCOL, Rng
from besnik.sim.model.ntag424_picc import ntag424
from besnik.sim.model.picc import FDT_NS
from besnik.sim.model.type2_picc import Type2Picc

TIMEOUT_S = 100
EXCHANGES = 2000
TAP = "00001-000001"
REASONS = ("timeout", "collision", "parity", "protocol", "overflow", "length", "bcc", "crc")
REASONS += ("cascade", "refused", "not_ndef")
RELAY_REASONS = ("gone", "busy", "forbidden", "timeout", "protocol", "format")
PCBS = b"\x02\x03\x12\x13\xa2\xa3\xb2\xf2\xc2"


# A card that keeps to its rules about half of the time. `told`: how often it did not.
class Hostile:
    def __init__(self, card, seed):
        self._card = card
        self._rng = Rng(seed)
        self.is_honest = False
        self.told = 0
        self.answer_after_ns = FDT_NS
        self.signal_fault = 0

    def __getattr__(self, name):
        return getattr(self._card, name)

    def hear(self, data, bits, now_ns):
        said = self._card.hear(data, bits, now_ns)
        below = self._rng.below
        self.answer_after_ns = self._card.answer_after_ns
        self.signal_fault = 0
        if self.is_honest or below(2):
            return said
        self.told += 1
        kind = below(5)
        if kind == 0:
            return None
        if kind == 1 and said:
            self.signal_fault = (PARITY, PROTOCOL)[below(2)]
            return said
        size = 1 + below((8, 24, 62, 200)[below(4)])
        octets = self._rng.octets(size)
        if kind == 2:
            return octets, 8 * size - below(8)
        if kind == 3:
            octets = bytes((PCBS[below(len(PCBS))],)) + octets
        octets = with_crc(octets)
        return octets, 8 * len(octets)


class Counter:
    def __init__(self, card, seed):
        self.bench = Bench()
        self.bench.events = None
        self.bench.board._listeners = []
        self.card = Hostile(card, seed)
        self.bench.board.add("card", self.card)
        clock = self.bench.clock
        chip = MFRC522(self.bench.spi, self.bench.cs, self.bench.rst, clock)
        chip.reset()
        chip.field(True)
        self.chip = chip
        self.cards = TypeA(chip)
        self.isodep = IsoDep(chip, clock)
        self.type2 = Type2(chip)
        self.relay = Relay(chip, self.cards, clock, self._send)
        identifier = Identifier(chip, self.cards, clock, ("sun", "uid"))
        self.presence = Presence(
            chip, self.cards, identifier, clock, self._on_offer, self._on_fault
        )
        self.presence.relay = self.relay
        self.bench.present("card")

    async def _send(self, message):
        answer = json.loads(message)
        assert "r" in answer or answer["e"] in RELAY_REASONS, answer

    def _on_offer(self, offer):
        self.relay.tap_id = TAP

    def _on_fault(self, is_faulty):
        assert not is_faulty

    # One thing after another that a reader does with a card.
    async def meet(self, number):
        for _ in range(4):
            await self.bench.clock.sleep_ms(await self.presence.step())
        self.relay.on_command(
            b'{"tx":"%s","n":1,"c":"%s"}' % (TAP, (b"00B0000010", b"3000")[number & 1])
        )
        await self.bench.clock.sleep_ms(await self.presence.step())
        for work in (self._read_type2, self._read_type4):
            try:
                if self.cards.wake() or self.cards.wake():
                    self.cards.select()
                    await work()
            except CardError as error:
                assert error.reason in REASONS, error.reason
        await self.isodep.deselect()

    async def _read_type2(self):
        self.type2.version()
        self.type2.read_ndef()

    async def _read_type4(self):
        await self.isodep.activate()
        await read_ndef(self.isodep)


async def _heap_after(counter, told):
    number = 0
    while counter.card.told < told:
        number += 1
        await counter.meet(number)
    # The same state each time: chip, card and firmware at rest.
    counter.card.is_honest = True
    counter.bench.remove("card")
    for _ in range(40):
        await counter.bench.clock.sleep_ms(await counter.presence.step())
    counter.bench.present("card")
    for _ in range(10):
        await counter.bench.clock.sleep_ms(await counter.presence.step())
    counter.card.is_honest = False
    gc.collect()
    gc.collect()
    return gc.mem_alloc()


async def _stays(card, seed):
    counter = Counter(card, seed)
    heap = [0, 0, 0]
    # The first round loads what is loaded at its first use.
    for i in range(3):
        heap[i] = await _heap_after(counter, (200, 400, 400 + EXCHANGES)[i])
    assert heap[2] <= heap[1], "%d bytes more" % (heap[2] - heap[1])


async def test_heap_is_back_after_hostile_type2_answers():
    await _stays(Type2Picc(bytes.fromhex("04A1B2C3D4E580")), 1)


async def test_heap_is_back_after_hostile_isodep_answers():
    address = "https://corner.example/t?e={picc}&m={mac}"
    await _stays(ntag424(bytes.fromhex("04DEBEBCFF4C80"), address), 2)
