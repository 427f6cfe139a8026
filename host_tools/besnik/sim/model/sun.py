# Secure Dynamic Messaging: what an NTAG 424 DNA mirrors into its NDEF file when that is read.
# Sections are those of NXP's data sheet NT4H2421Gx rev. 3.0.

from . import aes

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

# 9.3.3: UID and counter are there, the UID has seven bytes.
PICC_DATA_TAG = 0xC7
# Places in the file, by their name in a template: how many characters each takes.
PLACES = {"picc": 32, "uid": 14, "ctr": 6, "mac": 16}


# `file`: the NDEF file with its length field and placeholders. `places`: what is mirrored at which
# offset: "picc", "uid", "ctr", "enc" and "mac". `mac_input`: where the MAC's input begins;
# `enc_size`: characters of the encrypted part, of which the first half is the plain data.
class Sun:
    def __init__(
        self,
        file: bytes,
        places: "dict[str, int]",
        mac_input: int = -1,
        enc_size: int = 0,
    ):
        self.file = file
        self.places = places
        self.mac_input = mac_input if mac_input >= 0 else places.get("mac", 0)
        self.enc_size = enc_size

    # The file as it is read once, with counter value `count`.
    def mirrored(
        self, uid: bytes, count: int, meta_key: bytes, file_key: bytes, padding: bytes
    ) -> bytes:
        counter = bytes((count & 0xFF, count >> 8 & 0xFF, count >> 16))
        enc_key, mac_key = session_keys(file_key, uid, counter)
        shown = bytearray(self.file)
        if "picc" in self.places:
            plain = bytes((PICC_DATA_TAG,)) + uid + counter + padding
            self._put(shown, "picc", aes.cbc_encrypt(meta_key, plain))
        self._put(shown, "uid", uid)
        # MSB first in plain text, LSB first everywhere else (9.3.1).
        self._put(shown, "ctr", bytes((count >> 16, count >> 8 & 0xFF, count & 0xFF)))
        if "enc" in self.places:
            at = self.places["enc"]
            iv = aes.encrypt(enc_key, counter + bytes(13))
            plain = bytes(self.file[at : at + self.enc_size // 2])
            self._put(shown, "enc", aes.cbc_encrypt(enc_key, plain, iv))
        if "mac" in self.places:
            covered = bytes(shown[self.mac_input : self.places["mac"]])
            self._put(shown, "mac", aes.truncated(aes.cmac(mac_key, covered)))
        return bytes(shown)

    # Mirrors are ASCII, in capitals (9.3.3).
    def _put(self, shown: bytearray, name: str, value: bytes) -> None:
        if name in self.places:
            at = self.places[name]
            shown[at : at + 2 * len(value)] = b"".join([b"%02X" % byte for byte in value])


# Keys of one read, for encryption and for the MAC (9.3.9.1). `counter`: three bytes, LSB first.
def session_keys(file_key: bytes, uid: bytes, counter: bytes) -> "tuple[bytes, bytes]":
    tail = b"\x00\x01\x00\x80" + uid + counter
    tail += bytes(-(len(tail) + 2) % aes.BLOCK)
    return aes.cmac(file_key, b"\xc3\x3c" + tail), aes.cmac(file_key, b"\x3c\xc3" + tail)


# A Sun from an address that holds {picc}, {uid}, {ctr}, {enc:TEXT} or {mac}, each once at most;
# TEXT is padded with zero bytes to whole blocks. The MAC covers what stands from `mac_from` on,
# the name of one of those, or nothing. `record` makes the NDEF message of an address.
def of_address(address: str, record: "Callable[[str], bytes]", mac_from: str = "") -> Sun:
    address, plain = _without_text(address)
    address, offsets = _with_room(address, 2 * len(plain))
    message = record(address)
    file = bytearray(bytes((len(message) >> 8, len(message) & 0xFF)) + message)
    # The record may shorten the address in front, and ends where the address ends.
    shift = len(file) - len(address)
    places = {name: offsets[name] + shift for name in offsets}
    if mac_from and mac_from not in places:
        raise ValueError("mac_from " + repr(mac_from) + ": not in the address")
    if plain:
        file[places["enc"] : places["enc"] + len(plain)] = plain
    return Sun(bytes(file), places, places[mac_from] if mac_from else -1, 2 * len(plain))


# {enc:TEXT} becomes {enc}; returns the padded TEXT too.
def _without_text(address: str) -> "tuple[str, bytes]":
    start = address.find("{enc:")
    if start < 0:
        return address, b""
    end = address.find("}", start)
    plain = address[start + 5 : end].encode()
    plain += bytes(-len(plain) % aes.BLOCK)
    return address[: start + 4] + address[end:], plain


# Each name in braces becomes as many zeros as it takes; returns where they begin.
def _with_room(address: str, enc_size: int) -> "tuple[str, dict[str, int]]":
    offsets: "dict[str, int]" = {}
    start = address.find("{")
    while start >= 0:
        end = address.find("}", start)
        name = address[start + 1 : end]
        if name not in PLACES and name != "enc":
            raise ValueError("a card cannot mirror {" + name + "}")
        offsets[name] = start
        address = address[:start] + "0" * PLACES.get(name, enc_size) + address[end + 1 :]
        start = address.find("{")
    return address, offsets
