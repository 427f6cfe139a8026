# The firmware's watch over the field, many customers long, in emulated time: what tests and
# benchmarks count is counted here.

from firmware.identify import Identifier
from firmware.presence import Presence
from iso14443 import TypeA
from mfrc522 import MFRC522

from bench import Bench
from besnik.sim.model.noise import Rng
from besnik.sim.model.ntag424_picc import ntag424
from besnik.sim.model.picc import Picc

_ADDRESS = "https://corner.example/t?e={picc}&m={mac}"


def uid_card():
    return Picc(bytes.fromhex("04A1B2C3D4E580"))


def sun_card():
    return ntag424(bytes.fromhex("04DEBEBCFF4C80"), _ADDRESS)


# One card, named "card", before a reader that looks for SUN and for UIDs. seen_ms: when it offered
# something, and kinds: what kind.
class Till:
    def __init__(self, card, per_mille=0, seed=1):
        self.bench = Bench()
        self.bench.board.add("card", card)
        self.rng = Rng(seed)
        self.bench.noise(per_mille, seed=seed)
        self.seen_ms = []
        self.kinds = []
        self._laid_ms = 0
        chip = MFRC522(self.bench.spi, self.bench.cs, self.bench.rst, self.bench.clock)
        cards = TypeA(chip)
        identifier = Identifier(chip, cards, self.bench.clock, ("sun", "uid"))
        self.presence = Presence(
            chip, cards, identifier, self.bench.clock, self._on_offer, self._on_fault
        )

    def _on_offer(self, offer):
        self.seen_ms.append(self.bench.clock.ticks_ms())
        self.kinds.append(offer and offer.kind)

    def _on_fault(self, is_faulty):
        if is_faulty:
            raise AssertionError("the chip is well")

    async def watch_ms(self, duration_ms):
        clock = self.bench.clock
        until_ms = clock.ticks_ms() + duration_ms
        while clock.ticks_ms() < until_ms:
            await clock.sleep_ms(await self.presence.step())

    # The card lies there for so long: the taps it was.
    async def rest(self, duration_ms):
        await self.watch_ms(200)
        self.bench.present("card")
        await self.watch_ms(duration_ms)
        return len(self.seen_ms)

    # So many presentations, at any moment of the poll. Returns how many were no tap, how many were
    # more than one, and how many milliseconds each tap took.
    async def present(self, times, stays_ms=350, away_ms=250):
        missed = doubled = 0
        taken_ms = []
        for _ in range(times):
            await self.watch_ms(away_ms + self.rng.below(60))
            self.seen_ms = []
            self.bench.events.clear()
            self.bench.board.clock.after_us(1000 * self.rng.below(30), self._lay)
            await self.watch_ms(stays_ms + 30)
            self.bench.remove("card")
            await self.watch_ms(away_ms)
            missed += not self.seen_ms
            doubled += len(self.seen_ms) > 1
            if self.seen_ms:
                taken_ms.append(self.seen_ms[0] - self._laid_ms)
        return missed, doubled, taken_ms

    def _lay(self):
        self._laid_ms = self.bench.clock.ticks_ms()
        self.bench.board.present("card")
