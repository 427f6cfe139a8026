# What else speaks ISO/IEC 14443-4 at a till and is no loyalty card of ours: phones and bank cards.

from .ats import ats
from .isodep_picc import Application, IsoDepPicc
from .random_id_picc import RandomIdPicc

SELECT_BY_NAME = b"\x00\xa4\x04"
NOT_FOUND = b"\x6a\x82"
UNKNOWN_INSTRUCTION = b"\x6d\x00"

# EMV Contactless, Book B 3.3: the directory of a payment card.
PAYMENT_DIRECTORY = b"2PAY.SYS.DDF01"
# FWI 7: 39 ms. Frames of 256 bytes. A host card emulation needs about 20 ms for an answer
# (an estimate).
PHONE_ATS = ats(8, 7, 0, 0x80, True)
PHONE_US = 20000
PAYMENT_ATS = ats(8, 8, 0, 0x80, True)
PAYMENT_US = 15000


# Knows the applications named in `answers`, and of them only how SELECT is answered.
class Directory(Application):
    def __init__(self, answers: "dict[bytes, bytes]", us: int):
        self.answers = answers
        self._us = us

    def apdu(self, command: bytes) -> "bytes | None":
        if command[:3] != SELECT_BY_NAME or len(command) < 5:
            return UNKNOWN_INSTRUCTION
        found = self.answers.get(command[5 : 5 + command[4]])
        return NOT_FOUND if found is None else found + b"\x90\x00"

    def work_us(self, command: bytes) -> int:  # noqa: ARG002 - every command takes the same
        return self._us


# A phone without any application of ours.
def phone(seed: int = 1) -> RandomIdPicc:
    return RandomIdPicc(Directory({}, PHONE_US), PHONE_ATS, None, seed)


# A bank card; `payment_aid` is the application that its directory lists.
def payment(
    uid: bytes, payment_aid: bytes = bytes.fromhex("A0000000041010"), label: bytes = b"DEBIT"
) -> IsoDepPicc:
    entry = _tlv(b"\x61", _tlv(b"\x4f", payment_aid) + _tlv(b"\x50", label) + b"\x87\x01\x01")
    template = _tlv(b"\xa5", _tlv(b"\xbf\x0c", entry))
    fci = _tlv(b"\x6f", _tlv(b"\x84", PAYMENT_DIRECTORY) + template)
    return IsoDepPicc(uid, Directory({PAYMENT_DIRECTORY: fci}, PAYMENT_US), PAYMENT_ATS)


def _tlv(tag: bytes, value: bytes) -> bytes:
    return tag + bytes((len(value),)) + value
