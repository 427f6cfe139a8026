# Cards that speak ISO-DEP: the NDEF address in which an NTAG 424 DNA mirrors its proof (SUN), and
# whether a card is a payment card.

from firmware.identify import Offer
from iso14443 import CardError
from isodep import IsoDep
from micropython import const
from type4 import Type4

_ADDRESS_MIN = const(8)
_ADDRESS_MAX = const(160)
# SELECT of the payment system's directory: a card that has it is a payment card (EMV Book 1, 12.2).
_SELECT_PAYMENT = const(b"\x00\xa4\x04\x00\x0e2PAY.SYS.DDF01\x00")


# Reads one selected card at a time.
class Sun:
    def __init__(self, pcd, clock):
        self._isodep = IsoDep(pcd, clock)

    # The offer of a selected card within limit_ms, and whether it is a payment card. The offer is
    # None when the card mirrors no proof. Leaves the card halted. Raises CardError.
    async def offer(self, card, rank, limit_ms):
        await self._isodep.activate(limit_ms)
        try:
            address = await self._address()
            if address:
                return Offer(card, rank, "sun", address), False
            answer = await self._isodep.transceive(_SELECT_PAYMENT)
            return None, answer[-2:] == b"\x90\x00"
        finally:
            await self._isodep.deselect()

    # The part of the address behind the question mark.
    async def _address(self):
        try:
            message = await Type4(self._isodep).read_ndef()
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
