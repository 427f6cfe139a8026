# What the card families have in common: planned faults, and time to work before an answer.

from .faults import GONE, NOT_HEARD, SIGNAL, Faults, spoil
from .picc import FDT_NS, Picc

TYPE_CHECKING = False
if TYPE_CHECKING:
    from .picc import Said


# A card that understands commands when selected: a family answers them in `receive`.
class FamilyPicc(Picc):
    def __init__(
        self, uid: bytes, sak: int = 0x00, atqa: "bytes | None" = None, start_us: int = 5000
    ):
        Picc.__init__(self, uid, sak, atqa, start_us)
        self.faults = Faults()

    # The answer in the making comes `us` microseconds later than it could.
    def work(self, us: int) -> None:
        self.answer_after_ns = FDT_NS + us * 1000

    def _active(self, data: bytes, bits: int) -> "Said":
        kind = self.faults.strike()
        if kind == NOT_HEARD:
            self.garbled()
            return None
        if kind == GONE:
            self.power_down()
            return None
        said = self._answer(data, bits)
        if said is None or not kind:
            return said
        self.signal_fault = SIGNAL.get(kind, 0)
        return spoil(said, kind)

    # What a selected card says without faults.
    def _answer(self, data: bytes, bits: int) -> "Said":
        return Picc._active(self, data, bits)
