# A second, independent way to drive an RC522, in the manner of the drivers that have been around
# for ten years: read-modify-write of interrupt bits, address and data in separate writes, the
# FIFO byte by byte, polling without a clock, the chip's own CRC unit, bitwise anticollision.
# It checks the model: what it needs is what most existing drivers need.

OK = "ok"
NOTHING = "nothing"
COLLISION = "collision"
BROKEN = "broken"

CASCADE = (0x93, 0x95, 0x97)


class OldReader:
    def __init__(self, board, polls=2000):
        self.board = board
        self.polls = polls
        self.seen = 0

    # ---- registers ----

    def write(self, register, value):
        board = self.board
        board.pin_write(board.pins["cs"], 0)
        board.spi_exchange(bytes(((register << 1) & 0x7E,)))
        board.spi_exchange(bytes((value & 0xFF,)))
        board.pin_write(board.pins["cs"], 1)

    def read(self, register):
        board = self.board
        value = bytearray(1)
        board.pin_write(board.pins["cs"], 0)
        board.spi_exchange(bytes((((register << 1) & 0x7E) | 0x80,)))
        board.spi_exchange(b"\0", value)
        board.pin_write(board.pins["cs"], 1)
        return value[0]

    # One frame in which each byte names the next register: the data comes one byte late.
    def chain(self, registers):
        board = self.board
        out = bytes([0x80 | (register << 1) for register in registers]) + b"\0"
        into = bytearray(len(out))
        board.pin_write(board.pins["cs"], 0)
        board.spi_exchange(out, into)
        board.pin_write(board.pins["cs"], 1)
        return bytes(into[1:])

    def set_bits(self, register, mask):
        self.write(register, self.read(register) | mask)

    def clear_bits(self, register, mask):
        self.write(register, self.read(register) & ~mask)

    # ---- chip ----

    def init(self, prescaler=0xD3E, reload=30):
        self.write(0x01, 0x0F)
        self.write(0x2A, 0x80 | (prescaler >> 8))
        self.write(0x2B, prescaler & 0xFF)
        self.write(0x2C, reload >> 8)
        self.write(0x2D, reload & 0xFF)
        self.write(0x15, 0x40)
        self.write(0x11, 0x3D)
        self.set_bits(0x14, 0x03)
        self.clear_bits(0x0E, 0x80)
        self.board.clock.advance_us(5000)

    def crc(self, data):
        self.write(0x01, 0x00)
        self.clear_bits(0x05, 0x04)
        self.set_bits(0x0A, 0x80)
        for byte in data:
            self.write(0x09, byte)
        self.write(0x01, 0x03)
        for _ in range(255):
            if self.read(0x05) & 0x04:
                break
        self.write(0x01, 0x00)
        return bytes((self.read(0x22), self.read(0x21)))

    # Returns (status, bytes, bits); `self.seen` is ComIrqReg as it was when waiting ended.
    def exchange(self, data, last_bits=0, align=0, command=0x0C):
        self.write(0x02, 0x77 | 0x80)
        self.clear_bits(0x04, 0x80)
        self.set_bits(0x0A, 0x80)
        self.write(0x01, 0x00)
        for byte in data:
            self.write(0x09, byte)
        self.write(0x0D, (align << 4) | last_bits)
        self.write(0x01, command)
        transceive = command & 0x0F == 0x0C
        if transceive:
            self.set_bits(0x0D, 0x80)
        wanted = 0x30 if transceive else 0x10
        for _ in range(self.polls):
            self.seen = self.read(0x04)
            if self.seen & (wanted | 0x01):
                break
        self.clear_bits(0x0D, 0x80)
        if not self.seen & wanted:
            return NOTHING, b"", 0
        return self._collect(align)

    def _collect(self, align):
        error = self.read(0x06)
        if error & 0x17:
            return BROKEN, b"", error
        count = self.read(0x0A)
        last = self.read(0x0C) & 0x07
        data = bytes([self.read(0x09) for _ in range(count)])
        bits = count * 8 if not last else (count - 1) * 8 + last
        return (COLLISION if error & 0x08 else OK), data, bits

    # ---- cards ----

    def request(self, command=0x26):
        return self.exchange(bytes((command,)), last_bits=7)

    # UID of one card that answered the request, and its SAK; of several, the one with a 1 where
    # they first differ. None if there is no clean answer.
    def select(self):
        uid = b""
        for level in range(3):
            part = self._resolve(CASCADE[level])
            if part is None:
                return None
            frame = bytes((CASCADE[level], 0x70)) + part
            status, sak, bits = self.exchange(frame + self.crc(frame))
            if status != OK or bits != 24 or self.crc(sak[:1]) != sak[1:]:
                return None
            if not sak[0] & 0x04:
                return uid + part[:4], sak[0]
            uid += part[1:4]
        return None

    # The five bytes of one cascade level.
    def _resolve(self, level):
        known = bytearray(5)
        bits = 0
        for _ in range(33):
            whole, part = bits // 8, bits % 8
            nvb = ((2 + whole) << 4) | part
            sent = bytes((level, nvb)) + bytes(known[: whole + (1 if part else 0)])
            status, data, _ = self.exchange(sent, part, part)
            if status not in (OK, COLLISION):
                return None
            for index in range(len(data)):
                known[whole + index] |= data[index]
            if status == OK:
                good = known[0] ^ known[1] ^ known[2] ^ known[3] == known[4]
                return bytes(known) if good else None
            coll = self.read(0x0E)
            if coll & 0x20:
                return None
            bits = whole * 8 + ((coll & 0x1F) or 32)
            known[(bits - 1) // 8] |= 1 << ((bits - 1) % 8)
            for index in range(bits, 40):
                known[index // 8] &= ~(1 << (index % 8)) & 0xFF
        return None

    def halt(self):
        return self.exchange(b"\x50\x00" + self.crc(b"\x50\x00"))
