# Face to face with one card of the model, without a chip between: whole frames, and their time.

from besnik.sim.model.crc import crc_ok, with_crc
from besnik.sim.model.picc import ACTIVE

FDT_NS = 91150


# The card is in a field and selected. `send` and `frame` return what it says; `after_ns` is how
# long after the command its answer began.
class Facing:
    def __init__(self, card):
        self.card = card
        self.now_ns = 0
        self.after_ns = 0
        card.power_up(0)
        self.now_ns = card.start_ns
        self.select()

    def select(self):
        assert self.raw(b"\x52", 7)
        uid = b""
        for level in (0x93, 0x95, 0x97):
            part, _ = self.raw(bytes((level, 0x20)), 16)
            sak = self.frame(bytes((level, 0x70)) + part)
            uid += part[:4] if not sak[0] & 4 else part[1:4]
            if not sak[0] & 4:
                break
        assert self.card.state == ACTIVE
        self.uid, self.sak = uid, sak[0]

    # (bytes, bits) or None, exactly as the card says it.
    def raw(self, data, bits=0):
        self.now_ns += 1000000
        said = self.card.hear(data, bits or 8 * len(data), self.now_ns)
        if said is not None:
            self.after_ns = self.card.answer_after_ns
            self.now_ns += self.after_ns
        return said

    # Appends the CRC and takes it away from the answer; None for silence, an int for four bits.
    def frame(self, data):
        said = self.raw(with_crc(data))
        if said is None:
            return None
        if said[1] == 4:
            return said[0][0]
        assert crc_ok(said[0]), said
        return said[0][:-2]

    def send(self, text):
        answer = self.frame(bytes.fromhex(text))
        return hexed(answer) if isinstance(answer, bytes) else answer


def hexed(data):
    return "".join("%02X" % byte for byte in data)
