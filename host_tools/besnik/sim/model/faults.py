# What goes wrong between one card and the reader, frame by frame, as a test plans it.

from .crc import with_crc
from .noise import PARITY, PROTOCOL

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from .picc import Said

    # One of the kinds below, or what is to be done when the card hears the frame.
    What = int | Callable[[], object]

# The card does not understand the command, as after noise.
NOT_HEARD = 1
# The card has done what was asked, its answer is lost.
LOST = 2
BAD_CRC = 3
BAD_PARITY = 4
BAD_PROTOCOL = 5
# Half of what it had to say, with a CRC that is right.
TRUNCATED = 6
# One byte more than it had to say, with a CRC that is right.
LONGER = 7
# More than the chip's FIFO holds.
OVERSIZE = 8
# ISO/IEC 14443-4 only: the other block number.
WRONG_BLOCK = 9
# The card loses power and stays away until the field goes off and on, or it is presented anew.
GONE = 10

FIFO_SIZE = 64


# `step` counts the frames that the card hears while it is selected: the first is 1.
class Faults:
    def __init__(self) -> None:
        self.step = 0
        self._plan: "dict[int, What]" = {}
        self._from = 0
        self._kind = 0

    # At that step this happens: one of the kinds, or a function to call.
    def at(self, step: int, what: "What") -> None:
        self._plan[step] = what

    # From that step on this kind happens to every frame; 0 ends it.
    def always(self, kind: int, step: int = 1) -> None:
        self._kind = kind
        self._from = step

    # Counts from 1 again; what was planned and has not happened is forgotten.
    def restart(self) -> None:
        self.step = 0
        self._plan = {}
        self._kind = 0

    # The card hears a frame; returns the kind of fault that strikes it, or 0.
    def strike(self) -> int:
        self.step += 1
        what = self._plan.get(self.step, self._kind if self.step >= self._from else 0)
        if isinstance(what, int):
            return what
        what()
        return 0


# `said` as the fault leaves it; a signal fault is for the air to add.
def spoil(said: "tuple[bytes, int]", kind: int) -> "Said":
    data, bits = said
    if kind == LOST:
        return None
    if kind == BAD_CRC:
        return data[:-1] + bytes((data[-1] ^ 0x01,)), bits
    if bits % 8 or kind not in (TRUNCATED, LONGER, OVERSIZE, WRONG_BLOCK):
        return said
    body = data[:-2]
    if kind == TRUNCATED:
        body = body[: len(body) // 2]
    elif kind == LONGER:
        body += b"\x00"
    elif kind == OVERSIZE:
        body += bytes(FIFO_SIZE + 8 - len(body))
    else:
        body = bytes((body[0] ^ 0x01,)) + body[1:]
    changed = with_crc(body)
    return changed, 8 * len(changed)


SIGNAL = {BAD_PARITY: PARITY, BAD_PROTOCOL: PROTOCOL}
