# The field between antenna and cards: power, frame times, answers that overlap (reader.md 2.4).

from .noise import LOST, PARITY, Noise

TYPE_CHECKING = False
if TYPE_CHECKING:
    from .picc import Picc

# One elementary time unit at 106 kbit/s: 128/fc.
ETU_NS = 9440


# What arrives at the receiver. `bits` counts from bit 0 of data[0]; `collision` is the index
# of the first bit on which two cards differed, or -1; `fault` is one of noise.py or 0.
class Answer:
    def __init__(self, data: bytes, bits: int, start_ns: int):
        self.data = data
        self.bits = bits
        self.start_ns = start_ns
        self.collision = -1
        self.fault = 0
        self.sources: "list[Picc]" = []

    # A second card answers at the same time: Manchester halves add up, a differing bit
    # carries both and is read as 1 (reader.md 5.9).
    def overlap(self, data: bytes, bits: int) -> None:
        common = min(bits, self.bits)
        for index in range(common):
            if (self.data[index // 8] ^ data[index // 8]) >> (index % 8) & 1:
                if self.collision < 0 or index < self.collision:
                    self.collision = index
                break
        longer, shorter = (self.data, data) if self.bits >= bits else (data, self.data)
        merged = bytearray(longer)
        for index in range(len(shorter)):
            merged[index] |= shorter[index]
        self.data = bytes(merged)
        self.bits = max(bits, self.bits)

    # The card goes away at `now_ns`: what was not sent yet is never received.
    def cut(self, now_ns: int) -> None:
        etus = (now_ns - self.start_ns) // ETU_NS - 1
        heard = max(0, etus - max(0, etus) // 9)
        if heard < self.bits:
            self.bits = heard
            self.data = self.data[: (heard + 7) // 8]
            if heard % 8:
                last = self.data[-1] & ((1 << (heard % 8)) - 1)
                self.data = self.data[:-1] + bytes((last,))


class Field:
    def __init__(self) -> None:
        self.cards: "list[Picc]" = []
        self.noise = Noise()
        self.on = False
        # What metal behind the antenna takes from every answer; 99: a broken antenna.
        self.loss_db = 0
        self.frames = 0

    def power(self, on: bool, now_ns: int) -> None:
        if on == self.on:
            return
        self.on = on
        for card in self.cards:
            if on:
                card.power_up(now_ns)
            else:
                card.power_down()

    def insert(self, card: "Picc", now_ns: int) -> None:
        if card not in self.cards:
            self.cards.append(card)
            if self.on:
                card.power_up(now_ns)

    def remove(self, card: "Picc") -> None:
        if card in self.cards:
            self.cards.remove(card)
            card.power_down()

    # The reader's frame has ended at `now_ns`; returns the Answer or None.
    def deliver(self, data: bytes, bits: int, now_ns: int, gain_db: int) -> "Answer | None":
        self.frames += 1
        if not self.on:
            return None
        fault = self.noise.strike()
        answer = None
        for card in self.cards:
            if fault == LOST:
                card.garbled()
                continue
            said = card.hear(data, bits, now_ns)
            if said is None or gain_db < card.min_gain_db + self.loss_db:
                continue
            if answer is None:
                answer = Answer(said[0], said[1], now_ns + card.answer_after_ns)
            else:
                answer.overlap(said[0], said[1])
            answer.sources.append(card)
            if gain_db > card.max_gain_db + self.loss_db:
                fault = PARITY
            elif card.signal_fault:
                fault = card.signal_fault
        if answer is not None:
            answer.fault = fault
        return answer


# The length of a frame: start bit, a parity bit for each whole byte, end (reader.md 2.4).
def frame_ns(bits: int) -> int:
    return (2 + bits + bits // 8) * ETU_NS
