# Cards that speak ISO-DEP: the NDEF address in which an NTAG 424 DNA mirrors its proof (SUN), and
# whether a card is a payment card.

from iso14443 import CardError
from micropython import const
from type4 import read_ndef

_ADDRESS_MIN = const(8)
_ADDRESS_MAX = const(160)
# SELECT of the payment system's directory: a card that has it is a payment card (EMV Book 1, 12.2).
_SELECT_PAYMENT = const(b"\x00\xa4\x04\x00\x0e2PAY.SYS.DDF01\x00")


# What a selected card proves, within limit_ms: the part of its address behind the question mark,
# None when it mirrors none; and whether it is a payment card. isodep: isodep.IsoDep. Leaves the
# card halted. Raises CardError.
async def proof(isodep, limit_ms):
    await isodep.activate(limit_ms)
    try:
        address = await _address(isodep)
        if address:
            return address, False
        answer = await isodep.transceive(_SELECT_PAYMENT)
        return None, answer[-2:] == b"\x90\x00"
    finally:
        await isodep.deselect()


async def _address(isodep):
    try:
        message = await read_ndef(isodep)
    except CardError as error:
        if error.reason in ("not_ndef", "refused"):
            return None
        raise
    at = message.find(b"?") + 1
    address = message[at:]
    if not at or not _ADDRESS_MIN <= len(address) <= _ADDRESS_MAX:
        return None
    if any(byte < 0x21 or byte > 0x7E or byte in b'"\\' for byte in address):
        return None
    return address.decode()
