# MIFARE Classic on a selected card: authenticate, read, write. Its cipher is broken and its cards
# can be copied: it proves no more than a UID. Section numbers are those of the NXP data sheet
# MF1S50YYX, Rev. 3.2.

from iso14443 import CardError, append_crc, checked
from micropython import const

KEY_A = const(0x60)
KEY_B = const(0x61)

# Of the MFRC522: registers as SPI addresses (9.2), MFAuthent (10.3.1.9), ComIrqReg, Status2Reg.
_COMMAND = const(0x01 << 1)
_STATUS2 = const(0x08 << 1)
_CMD_MF_AUTHENT = const(0x0E)
_IRQ_IDLE = const(0x10)
_IRQ_RX = const(0x20)
_IRQ_ERR = const(0x02)
_IRQ_TIMER = const(0x01)
_CRYPTO1_ON = const(0x08)
_AUTHENT_US = const(10000)

_READ = const(0x30)
_WRITE = const(0xA0)
_ACK = const(0x0A)
_BLOCK = const(16)
_READ_US = const(5000)
_WRITE_US = const(10000)


# The blocks of one selected card; pcd: mfrc522.MFRC522. Every call may raise CardError; after
# "refused" the card sleeps and must be selected anew. stop() before talking to another card.
class Classic:
    def __init__(self, pcd):
        self._pcd = pcd
        self._frame = bytearray(18)

    # Opens the sector of a block with a key of 6 bytes, KEY_A or KEY_B (10.1).
    def authenticate(self, block, key, uid, which=KEY_A):
        if len(key) != 6:
            raise ValueError("a key has 6 bytes")
        pcd = self._pcd
        pcd.load(pcd.burst(bytes((which, block)) + key + uid[-4:], 12), _AUTHENT_US)
        pcd.write(_COMMAND, _CMD_MF_AUTHENT)
        irq = 0
        for _ in range(2 * _AUTHENT_US // 1000):
            pcd.clock.sleep_us(1000)
            irq = pcd.poll_status(_IRQ_IDLE | _IRQ_TIMER | _IRQ_RX | _IRQ_ERR)
            # Only IdleIRq means success (10.3.1.9): MFCrypto1On may still be set by an earlier one.
            if irq & _IRQ_IDLE and pcd.read(_STATUS2) & _CRYPTO1_ON:
                return
            if irq & (_IRQ_TIMER | _IRQ_ERR):
                break
        # The card fell silent, or said something that is no part of an authentication.
        if irq:
            raise CardError("refused")
        raise CardError("deaf")

    # The 16 bytes of a block (12.2).
    def read(self, block):
        self._frame[0], self._frame[1] = _READ, block
        got = self._send(2, _BLOCK + 2, _READ_US)
        if got == 4:
            raise CardError("refused")
        got = checked(self._pcd.rx, got)
        if got < 0:
            raise CardError(got)
        if got != _BLOCK:
            raise CardError("length")
        return bytes(self._pcd.rx[:_BLOCK])

    # Writes the 16 bytes of a block (12.3): the command, then the data, each acknowledged.
    def write(self, block, data):
        if len(data) != _BLOCK:
            raise ValueError("a block has 16 bytes")
        self._frame[0], self._frame[1] = _WRITE, block
        self._acknowledged(self._send(2, 1, _WRITE_US))
        self._frame[:_BLOCK] = data
        self._acknowledged(self._send(_BLOCK, 1, _WRITE_US))

    # Ends the encryption: without it no other card is understood (MFRC522 9.3.1.9).
    def stop(self):
        self._pcd.write(_STATUS2, 0)

    def _send(self, size, rx_bytes, timeout_us):
        size = append_crc(self._frame, size)
        return self._pcd.transceive(self._frame, size, 0, 0, rx_bytes, timeout_us)

    def _acknowledged(self, got):
        if got < 0:
            raise CardError(got)
        if got != 4 or self._pcd.rx[0] & 0x0F != _ACK:
            raise CardError("refused")
