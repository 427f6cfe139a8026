# The memory of NTAG213/215/216 and MIFARE Ultralight EV1: pages, locks, configuration (NXP data
# sheets NTAG213_215_216 rev. 3.2, whose sections are named here, and MF0ULX1 rev. 3.3).

PAGE = 4
USER_PAGE = 4
# ACCESS, the first byte of the second configuration page (8.5.7).
PROT = 0x80
CFGLCK = 0x40
NFC_CNT_EN = 0x10
NFC_CNT_PWD_PROT = 0x08
AUTHLIM = 0x07


# `lock_page`: dynamic lock bytes or -1; `lock_span`: pages that one of their bits locks;
# `config_page`: the first of the two, PWD and PACK follow. `container`: the pages from 3 on as
# they leave the issuer. An Ultralight EV1 has three counters, an NTAG one, with number 2.
class Product:
    def __init__(
        self,
        version: str,
        pages: int,
        lock_page: int,
        lock_span: int,
        config_page: int,
        container: str,
        counters: int = 1,
    ):
        self.version = bytes.fromhex(version)
        self.pages = pages
        self.lock_page = lock_page
        self.lock_span = lock_span
        self.config_page = config_page
        self.container = bytes.fromhex(container)
        self.counters = counters
        # Bytes that a holder may fill.
        self.user_size = PAGE * ((lock_page if lock_page > 0 else config_page) - USER_PAGE)


PRODUCTS = {
    "ntag213": Product("0004040201000F03", 45, 0x28, 2, 0x29, "E11012000103A00C340300FE"),
    "ntag215": Product("0004040201001103", 135, 0x82, 16, 0x83, "E1103E000300FE00"),
    "ntag216": Product("0004040201001303", 231, 0xE2, 16, 0xE3, "E1106D000300FE00"),
    "ul11": Product("0004030101000B03", 20, -1, 2, 0x10, "E11006000300FE00", 3),
    "ul21": Product("0004030101000E03", 41, 0x24, 2, 0x25, "E11010000300FE00", 3),
}


# `levels`: the two parts of the UID, each with its check byte.
class Type2Memory:
    def __init__(self, product: Product, levels: "list[bytes]"):
        self.product = product
        self._config_at = PAGE * product.config_page
        self.octets = bytearray(PAGE * product.pages)
        # Cascade tag left out, UID and check bytes fill nine bytes; then one of NXP's (8.5.1).
        self.octets[0:10] = levels[0][1:] + levels[1] + b"\x48"
        self.octets[12 : 12 + len(product.container)] = product.container
        if product.lock_page > 0:
            self.octets[PAGE * product.lock_page + 3] = 0xBD
        self.octets[self._config_at + 3] = 0xFF
        self.octets[self._config_at + 8 : self._config_at + 12] = b"\xff\xff\xff\xff"

    # The page from which on a password is needed; beyond the last page: nowhere.
    @property
    def auth0(self) -> int:
        return self.octets[self._config_at + 3]

    @auth0.setter
    def auth0(self, page: int) -> None:
        self.octets[self._config_at + 3] = page

    @property
    def access(self) -> int:
        return self.octets[self._config_at + 4]

    @access.setter
    def access(self, bits: int) -> None:
        self.octets[self._config_at + 4] = bits

    @property
    def password(self) -> bytes:
        return bytes(self.octets[self._config_at + 8 : self._config_at + 12])

    @password.setter
    def password(self, value: bytes) -> None:
        self.octets[self._config_at + 8 : self._config_at + 12] = value

    @property
    def pack(self) -> bytes:
        return bytes(self.octets[self._config_at + 12 : self._config_at + 14])

    @pack.setter
    def pack(self, value: bytes) -> None:
        self.octets[self._config_at + 12 : self._config_at + 14] = value

    # PWD and PACK always read as zero (8.5.7).
    def read(self, page: int) -> bytes:
        if page >= self.product.config_page + 2:
            return bytes(PAGE)
        return bytes(self.octets[PAGE * page : PAGE * page + PAGE])

    # Lock bytes and the capability container are one-time programmable: bits can be set only.
    def write(self, page: int, value: bytes) -> None:
        at = PAGE * page
        old = self.octets[at : at + PAGE]
        if page == 2:
            value = bytes(old[:2]) + self._more_locked(old[2], old[3], value)
        elif page in (3, self.product.lock_page):
            value = bytes([old[i] | value[i] for i in range(PAGE)])
        self.octets[at : at + PAGE] = value

    # Lock bits cannot be set where a block-locking bit holds them (8.5.2).
    def _more_locked(self, low: int, high: int, value: bytes) -> bytes:
        held = (0x0008 if low & 1 else 0) | (0x03F0 if low & 2 else 0) | (0xFC00 if low & 4 else 0)
        wanted = (value[2] | value[3] << 8) & ~held
        return bytes((low | wanted & 0xFF, high | wanted >> 8))

    # Static lock bytes for pages 3 to 15 (8.5.2), dynamic ones behind (8.5.3), CFGLCK (8.5.7).
    def is_locked(self, page: int) -> bool:
        product = self.product
        if page < 16:
            return page > 2 and bool((self.octets[10] | self.octets[11] << 8) >> page & 1)
        if page < product.lock_page:
            at = PAGE * product.lock_page
            bits = self.octets[at] | self.octets[at + 1] << 8
            return bool(bits >> ((page - 16) // product.lock_span) & 1)
        is_config = product.config_page <= page < product.config_page + 2
        return is_config and bool(self.access & CFGLCK)
