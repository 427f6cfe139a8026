# The firmware's watch over the field, many customers long, in emulated time: what tests and
# benchmarks count is counted here.

from fields import Watched, holding

from besnik.sim.model.noise import Rng
from besnik.sim.model.ntag424_picc import ntag424
from besnik.sim.model.picc import Picc

_ADDRESS = "https://corner.example/t?e={picc}&m={mac}"


def uid_card():
    return Picc(bytes.fromhex("04A1B2C3D4E580"))


def sun_card():
    return ntag424(bytes.fromhex("04DEBEBCFF4C80"), _ADDRESS)


# One card, named "card", before a reader that looks for SUN and for UIDs. taps_ms: when it offered
# something, and seen: what kind.
class Till(Watched):
    def __init__(self, card, per_mille=0, seed=1):
        Watched.__init__(self, holding(card=card))
        self.rng = Rng(seed)
        self.bench.noise(per_mille, seed=seed)
        self.taps_ms = []
        self._laid_ms = 0

    def noted(self, offer):
        self.taps_ms.append(self.bench.clock.ticks_ms())
        return offer and offer.kind

    async def watch_ms(self, duration_ms):
        await Watched.watch_ms(self, duration_ms)
        assert True not in self.faults, "the chip is well"

    # The card lies there for so long: the taps it was.
    async def rest(self, duration_ms):
        await self.watch_ms(200)
        self.bench.present("card")
        await self.watch_ms(duration_ms)
        return len(self.taps_ms)

    # So many presentations, at any moment of the poll. Returns how many were no tap, how many were
    # more than one, and how many milliseconds each tap took.
    async def present(self, times, stays_ms=350, away_ms=250):
        missed = doubled = 0
        taken_ms = []
        for _ in range(times):
            await self.watch_ms(away_ms + self.rng.below(60))
            self.taps_ms = []
            self.bench.events.clear()
            self.bench.board.clock.after_us(1000 * self.rng.below(30), self._lay)
            await self.watch_ms(stays_ms + 30)
            self.bench.remove("card")
            await self.watch_ms(away_ms)
            missed += not self.taps_ms
            doubled += len(self.taps_ms) > 1
            if self.taps_ms:
                taken_ms.append(self.taps_ms[0] - self._laid_ms)
        return missed, doubled, taken_ms

    def _lay(self):
        self._laid_ms = self.bench.clock.ticks_ms()
        self.bench.board.present("card")
