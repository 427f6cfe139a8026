# The access bits of a MIFARE Classic sector (NXP MF1S50YYX rev. 3.2, 8.7): which key may do what.

# Data blocks, by C1 C2 C3 (table 8): keys that may read, and write.
DATA = (
    ("AB", "AB"),
    ("AB", ""),
    ("AB", ""),
    ("B", "B"),
    ("AB", "B"),
    ("B", ""),
    ("AB", "B"),
    ("", ""),
)
# Trailers, by C1 C2 C3 (table 7): keys that may write key A; read and write the access bits;
# read and write key B.
TRAILER = (
    ("A", "A", "", "A", "A"),
    ("A", "A", "A", "A", "A"),
    ("", "A", "", "A", ""),
    ("B", "AB", "B", "", "B"),
    ("B", "AB", "", "", "B"),
    ("", "AB", "B", "", ""),
    ("", "AB", "", "", ""),
    ("", "AB", "", "", ""),
)


class Access:
    # `bits`: bytes 6 to 8 of the trailer. None of it is granted when their two copies differ.
    def __init__(self, bits: bytes):
        c1, c2, c3 = bits[1] >> 4, bits[2] & 0x0F, bits[2] >> 4
        inverted = (bits[0] & 0x0F, bits[0] >> 4, bits[1] & 0x0F)
        self.is_valid = (c1 ^ 0x0F, c2 ^ 0x0F, c3 ^ 0x0F) == inverted
        self._codes = [(c1 >> i & 1) << 2 | (c2 >> i & 1) << 1 | (c3 >> i & 1) for i in range(4)]

    # A key B that can be read is data: it opens nothing (8.7.2).
    def opens(self, key: str) -> bool:
        return self.is_valid and (key == "A" or not TRAILER[self._codes[3]][3])

    # `block`: 0 to 2 of the sector.
    def may_read(self, block: int, key: str) -> bool:
        return self.opens(key) and key in DATA[self._codes[block]][0]

    def may_write(self, block: int, key: str) -> bool:
        return self.opens(key) and key in DATA[self._codes[block]][1]

    # The trailer as this key sees it: key A never, key B where it is data.
    def seen(self, trailer: bytes, key: str) -> bytes:
        row = TRAILER[self._codes[3]]
        bits = trailer[6:10] if key in row[1] else bytes(4)
        key_b = trailer[10:] if key in row[3] else bytes(6)
        return bytes(6) + bits + key_b

    # The trailer after this key has written `wanted`; None when it may change nothing.
    def changed(self, trailer: bytes, wanted: bytes, key: str) -> "bytes | None":
        row = TRAILER[self._codes[3]]
        allowed = (key in row[0], key in row[2], key in row[4])
        if not self.opens(key) or True not in allowed:
            return None
        parts = ((0, 6), (6, 10), (10, 16))
        source = [wanted if allowed[i] else trailer for i in range(3)]
        return b"".join([source[i][parts[i][0] : parts[i][1]] for i in range(3)])
