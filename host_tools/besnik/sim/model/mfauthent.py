# The chip's side of MIFARE Classic: the MFAuthent command (MFRC522 10.3.1.9), and the cipher that
# is on from its success until the host clears MFCrypto1On (9.3.1.9).

from . import registers as r
from .crc import with_crc
from .crypto1 import Crypto1, octets_of, successor, word_of
from .noise import Rng

TYPE_CHECKING = False
if TYPE_CHECKING:
    from .chip import Chip

CRYPTO1_ON = 0x08
# From the end of the card's frame to the reader's next: 1172/fc (reader.md 2.4).
TURN_NS = 86431


class MfAuthent:
    def __init__(self, chip: "Chip"):
        self._chip = chip
        self._rng = Rng(0xC1)
        self._cipher = Crypto1(bytes(6))
        self._key = b""
        self._uid = 0
        self._nonce = 0
        # 0: not at work, 1: the card's nonce is awaited, 2: its answer to ours.
        self._step = 0
        self._next: "Crypto1 | None" = None
        self._taken = b""

    def is_on(self) -> bool:
        return bool(self._chip.regs[r.STATUS2] & CRYPTO1_ON)

    def stop(self) -> None:
        self._step = 0

    # Twelve bytes: command, block, key, UID.
    def start(self, request: bytes, now_ns: int) -> None:
        self._key = request[2:8]
        self._uid = word_of(request[8:12])
        self._step = 1
        self._taken = b""
        self._chip.modem.send_bytes(with_crc(request[:2]), now_ns)

    # A frame on its way to the air, and an answer on its way from there.
    def outgoing(self, data: bytes, bits: int) -> bytes:
        return self._cipher.crypt(data, bits) if self.is_on() and self._step != 2 else data

    def incoming(self, data: bytes, bits: int) -> bytes:
        return self._cipher.crypt(data, bits) if self.is_on() and not self._step else data

    # A byte of the card's frame, which the host never sees.
    def take(self, byte: int) -> None:
        self._taken += bytes((byte,))

    # The card's frame is complete. ProtocolErr: it has not four bytes (9.3.1.7).
    def received(self, errors: int, now_ns: int) -> None:
        taken, self._taken = self._taken, b""
        if errors:
            return
        if len(taken) != 4:
            self._chip.error(r.PROTOCOL_ERR)
        elif self._step == 1:
            self._respond(word_of(taken), now_ns)
        elif self._next is not None and word_of(taken) ^ self._next.word() == successor(
            self._nonce, 96
        ):
            self._cipher = self._next
            self._step = 0
            self._chip.regs[r.STATUS2] |= CRYPTO1_ON
            self._chip.idle()

    # The reader's nonce and its answer to the card's.
    def _respond(self, shown: int, now_ns: int) -> None:
        cipher = self._next = Crypto1(self._key)
        if self.is_on():
            nonce = cipher.nonce(self._uid, shown, True)
        else:
            nonce = shown
            cipher.word(self._uid ^ nonce)
        self._nonce = nonce
        ours = word_of(self._rng.octets(4))
        sent = octets_of(ours ^ cipher.word(ours))
        sent += octets_of(successor(nonce, 64) ^ cipher.word())
        self._step = 2
        self._chip.modem.send_bytes(sent, now_ns + TURN_NS)
