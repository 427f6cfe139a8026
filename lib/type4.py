# NFC Forum Type 4 tags over ISO-DEP: the NDEF message of a card, NTAG 424 DNA with its SUN address
# among them. Section numbers are those of the NFC Forum Type 4 Tag specification, 2.0.

from iso14443 import CardError
from micropython import const

_SELECT_NDEF_APP = const(b"\x00\xa4\x04\x00\x07\xd2\x76\x00\x00\x85\x01\x01\x00")  # 5.4.2
_CC_FILE = const(b"\xe1\x03")
_READ_MAX = const(59)  # with status word, PCB and CRC one frame of 64
_NDEF_MAX = const(1024)
_OK = const(b"\x90\x00")


# The NDEF message of a card behind an isodep.IsoDep that has been activated, b"" for none. Raises
# CardError: "not_ndef" when the card has no NDEF application, "refused" when it says no later on.
async def read_ndef(isodep):
    if (await isodep.transceive(_SELECT_NDEF_APP))[-2:] != _OK:
        raise CardError("not_ndef")
    await _select(isodep, _CC_FILE)
    container = await _read(isodep, 0, 15)
    # CCLEN, version, MLe, MLc, then the NDEF File Control TLV: 04 06 and the file id (5.1.2).
    if container[7] != 0x04 or container[8] != 0x06:
        raise CardError("not_ndef")
    read_max = max(1, min(container[3] << 8 | container[4], _READ_MAX))
    await _select(isodep, container[9:11])
    length = await _read(isodep, 0, 2)
    length = length[0] << 8 | length[1]
    if length > _NDEF_MAX:
        raise CardError("length")
    message = b""
    while len(message) < length:
        message += await _read(isodep, 2 + len(message), min(read_max, length - len(message)))
    return message


async def _select(isodep, file_id):
    if (await isodep.transceive(b"\x00\xa4\x00\x0c\x02" + file_id))[-2:] != _OK:
        raise CardError("refused")


async def _read(isodep, offset, length):
    answer = await isodep.transceive(bytes((0x00, 0xB0, offset >> 8, offset & 0xFF, length)))
    if answer[-2:] != _OK:
        raise CardError("refused")
    if len(answer) != length + 2:
        raise CardError("length")
    return answer[:-2]
