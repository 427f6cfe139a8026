# AuthenticateEV2First and the session that follows it, as the card sees them. Sections are those
# of NXP's data sheet NT4H2421Gx rev. 3.0; DESFire EV2 and EV3 do the same.

from . import aes

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

COUNTER_MAX = 0xFFFF


# The card has sent its challenge and awaits the reader's answer (9.1.5). `capabilities`: what the
# reader said of itself, up to six bytes.
class Ev2Challenge:
    def __init__(self, key: bytes, capabilities: bytes, draw: "Callable[[int], bytes]"):
        self._key = key
        self._reader_caps = capabilities + bytes(6 - len(capabilities))
        self._draw = draw
        self._rnd_b = draw(16)
        self.secret = aes.cbc_encrypt(key, self._rnd_b)

    # The answer of 32 bytes: (what the card says to it, the session), or None when the reader
    # does not know the key.
    def answer(self, secret: bytes) -> "tuple[bytes, Ev2Session] | None":
        plain = aes.cbc_decrypt(self._key, secret)
        rnd_a = plain[:16]
        if plain[16:] != self._rnd_b[1:] + self._rnd_b[:1]:
            return None
        transaction = self._draw(4)
        # PDcap2 of an AES card is all zero (10.4.1).
        said = transaction + rnd_a[1:] + rnd_a[:1] + bytes(6) + self._reader_caps
        session = Ev2Session(self._key, rnd_a, self._rnd_b, transaction)
        return aes.cbc_encrypt(self._key, said), session


# Session keys and the command counter (9.1.6 to 9.1.10).
class Ev2Session:
    def __init__(self, key: bytes, rnd_a: bytes, rnd_b: bytes, transaction: bytes):
        mixed = rnd_a[:2] + aes.xor(rnd_a[2:8], rnd_b[:6]) + rnd_b[6:] + rnd_a[8:]
        self.enc_key = aes.cmac(key, b"\xa5\x5a\x00\x01\x00\x80" + mixed)
        self.mac_key = aes.cmac(key, b"\x5a\xa5\x00\x01\x00\x80" + mixed)
        self.transaction = transaction
        self.commands = 0

    # The MAC over a command code, or a status, and what goes with it.
    def mac(self, code: int, data: bytes) -> bytes:
        head = bytes((code, self.commands & 0xFF, self.commands >> 8)) + self.transaction
        return aes.truncated(aes.cmac(self.mac_key, head + data))

    # A command without data that carries its MAC: true when that is right. Counts it.
    def admits(self, command: int, mac: bytes) -> bool:
        if mac != self.mac(command, b"") or self.commands >= COUNTER_MAX:
            return False
        self.commands += 1
        return True

    # A response in CommMode.MAC.
    def maced(self, data: bytes) -> bytes:
        return data + self.mac(0x00, data)

    # A response in CommMode.Full.
    def sealed(self, data: bytes) -> bytes:
        count = bytes((self.commands & 0xFF, self.commands >> 8))
        iv = aes.encrypt(self.enc_key, b"\x5a\xa5" + self.transaction + count + bytes(8))
        return self.maced(aes.cbc_encrypt(self.enc_key, aes.pad(data), iv))
