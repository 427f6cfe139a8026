# CRC_A, ISO/IEC 14443-3 annex B, and the coprocessor's other presets (MFRC522 9.3.2.2).

PRESET_A = 0x6363


# Sums `data` into `crc`, least significant bit first, polynomial x^16 + x^12 + x^5 + 1.
def update(crc: int, data: "bytes | bytearray | list[int]") -> int:
    for byte in data:
        byte = (byte ^ crc) & 0xFF
        byte = (byte ^ (byte << 4)) & 0xFF
        crc = (crc >> 8) ^ (byte << 8) ^ (byte << 3) ^ (byte >> 4)
    return crc


# The two CRC_A bytes in the order in which they are sent.
def crc_a(data: bytes) -> bytes:
    crc = update(PRESET_A, data)
    return bytes((crc & 0xFF, crc >> 8))


# `data` with its CRC_A appended.
def with_crc(data: bytes) -> bytes:
    return bytes(data) + crc_a(data)


# True if the last two bytes are the CRC_A of those before them.
def crc_ok(frame: bytes) -> bool:
    return len(frame) > 2 and crc_a(frame[:-2]) == bytes(frame[-2:])
