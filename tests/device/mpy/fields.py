# A field with cards of the model in it: one card selected, for the libraries of its family, and the
# firmware's watch over it.

from firmware.identify import Identifier
from firmware.presence import Presence
from iso14443 import CardError, TypeA
from mfrc522 import MFRC522

from bench import Bench


# The field is on and `card`, under that name, lies in it and has started.
class Lying:
    def __init__(self, card):
        self.bench = Bench()
        self.chip = MFRC522(self.bench.spi, self.bench.cs, self.bench.rst, self.bench.clock)
        self.chip.reset()
        self.chip.field(True)
        self.cards = TypeA(self.chip)
        self.lay(card)

    # Another one in its place.
    def lay(self, card):
        self.card = card
        if "card" in self.bench.board.cards:
            self.bench.remove("card")
        self.bench.board.add("card", card)
        self.bench.present("card")
        self.bench.clock.sleep_us(6000)

    # Twice: a card that was refused something falls asleep at the first request.
    def select(self):
        assert self.cards.wake() or self.cards.wake()
        selected = self.cards.select()
        assert selected.uid == self.card.uid
        return selected

    def refused(self, call):
        try:
            call()
        except CardError as error:
            assert error.reason == "refused", error.reason
        else:
            raise AssertionError("allowed")


# The firmware looks into the field. Cards are those of `bench`; `noted` makes of an offer what is
# kept of it in `seen`. seen_ms: when the last one came; faults: what was said about the chip.
class Watched:
    def __init__(self, bench, families=("sun", "uid")):
        self.bench = bench
        self.chip = MFRC522(bench.spi, bench.cs, bench.rst, bench.clock)
        self.cards = TypeA(self.chip)
        self.seen = []
        self.seen_ms = 0
        self.faults = []
        identifier = Identifier(self.chip, self.cards, bench.clock, families)
        self.presence = Presence(
            self.chip, self.cards, identifier, bench.clock, self._on_offer, self.faults.append
        )

    def noted(self, offer):
        return offer and (offer.kind, offer.data)

    def _on_offer(self, offer):
        self.seen.append(self.noted(offer))
        self.seen_ms = self.bench.clock.ticks_ms()

    async def watch_ms(self, duration_ms):
        clock = self.bench.clock
        until_ms = clock.ticks_ms() + duration_ms
        while clock.ticks_ms() < until_ms:
            await clock.sleep_ms(await self.presence.step())


# A bench with these cards of the model.
def holding(**cards):
    bench = Bench()
    for key in cards:
        bench.board.add(key, cards[key])
    return bench
