# What the FIFO holds after the self-test (MFRC522 16.1.1), by VersionReg.

ANSWERS = {
    0x91: (
        "00C637D532B7575CC2D87C4DD970C77310E6D2AA5EA13E5A14AF3061C970DB2E"
        "642272B5BD65F4EC22BCD37235CDAA411FA7F35314DE7E02D90FB55E251D2979"
    ),
    0x92: (
        "00EB66BA57BF2395D0E30D3D27895CDE9D3BA700215B8982513AEB020CA50049"
        "7C844DB3CCD21B815D4876D5716121A986968338CF9D5B6DDC15BA3E7D953B2F"
    ),
}


# 64 bytes. A clone (0x12, 0x15, 0x89, 0xB2 ...) answers something else, as real ones do.
def answer(version: int) -> bytes:
    text = ANSWERS.get(version)
    if text is None:
        return bytes(64)
    return bytes(int(text[i : i + 2], 16) for i in range(0, 128, 2))
