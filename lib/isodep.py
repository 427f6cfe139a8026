# ISO/IEC 14443-4 for type A: RATS, the half-duplex block protocol, DESELECT. Section numbers are
# those of ISO/IEC 14443-4. No CID, no NAD, no PPS: one card at 106 kbit/s.
#
# The chip's FIFO holds 64 bytes, so no frame is longer, either way: FSDI 5 tells the card, and its
# own FSCI is obeyed. What a card sends is never trusted: lengths, block numbers, chains and waiting
# times are all bounded.

from iso14443 import CardError, append_crc, checked
from mfrc522 import DEAF
from micropython import const

_RATS = const(b"\xe0\x50")  # 5.1: FSDI 5, a frame of 64 bytes; CID 0
_FRAME_MAX = const(64)
_FRAME_SIZES = const(b"\x10\x18\x20\x28\x30\x40")  # 5.2.3, Table 1; larger ones do not fit our FIFO
_ACTIVATION_US = const(4833)  # 5.4: 65536 / fc
_DEACTIVATION_US = const(4833)  # 8.1: 65536 / fc
_FWT_UNIT_US = const(302)  # 7.2: 4096 / fc
_FWT_MAX_US = const(4949000)  # 7.2: FWI 14
_FWI_DEFAULT = const(4)

_I_BLOCK = const(0x02)
_R_ACK = const(0xA2)
_R_NAK = const(0xB2)
_DESELECT = const(b"\xc2")
_WTX = const(0xF2)
_CHAINING = const(0x10)

_RETRIES = const(2)
_ANSWER_MAX = const(4096)
_LIMIT_MS = const(3000)


# Reads an ATS (5.2): the bytes of a frame that the card takes, capped at ours, and how many us it
# may take to answer (FWT) and to settle after the ATS (SFGT). Raises CardError.
def read_ats(ats):
    if not ats or ats[0] != len(ats):
        raise CardError("length")
    fsci = 2  # 5.2.3: without T0 a card takes 32 bytes
    fwi, sfgi = _FWI_DEFAULT, 0
    at = 2
    if len(ats) > 1:
        fsci = ats[1] & 0x0F
        at += ats[1] >> 4 & 1
        if ats[1] & 0x20:
            if at >= len(ats):
                raise CardError("length")
            fwi, sfgi = ats[at] >> 4, ats[at] & 0x0F
    return (
        _FRAME_SIZES[min(fsci, len(_FRAME_SIZES) - 1)],
        _FWT_UNIT_US << (fwi if fwi < 15 else _FWI_DEFAULT),  # 15 is RFU (5.2.5)
        _FWT_UNIT_US << sfgi if 0 < sfgi < 15 else 0,
    )


# The block protocol with one selected card whose SAK has bit 0x20. clock: ticks_ms, ticks_diff and
# the coroutine sleep_ms. Any call may raise CardError; after one the card must be selected anew.
class IsoDep:
    def __init__(self, pcd, clock):
        self._pcd = pcd
        self._clock = clock
        self._frame = bytearray(_FRAME_MAX)
        self._block = 0
        self._began_ms = 0
        self._limit_ms = 0
        self._frame_max = _FRAME_MAX
        self._fwt_us = 0
        self._is_active = False

    # Sends RATS; returns the ATS. limit_ms bounds all that follows until deselect(), however often
    # the card asks for more time.
    async def activate(self, limit_ms=_LIMIT_MS):
        self._began_ms = self._clock.ticks_ms()
        self._limit_ms = limit_ms
        self._block = 0
        self._is_active = True
        try:
            return await self._settings()
        except CardError:
            # It may have answered and been misheard: then it hears blocks only (5.6.1.1).
            await self.deselect()
            raise

    async def _settings(self):
        size = await self._exchange(_RATS, _ACTIVATION_US)
        if size < 0:
            size = await self._exchange(_RATS, _ACTIVATION_US)  # 5.6.1.1: once more, then give up
        if size < 0:
            raise CardError(size)
        ats = bytes(self._pcd.rx[:size])
        self._frame_max, self._fwt_us, sfgt_us = read_ats(ats)
        if sfgt_us:
            await self._clock.sleep_ms(min(sfgt_us, self._left_us()) // 1000 + 1)
        return ats

    # Sends a command APDU of any length; returns the response with its status word.
    async def transceive(self, apdu):
        step = self._frame_max - 3
        apdu = memoryview(apdu)
        at = 0
        while len(apdu) - at > step:
            await self._send(_I_BLOCK | _CHAINING, apdu[at : at + step])
            if self._pcd.rx[0] & 0xF6 != _R_ACK:
                raise CardError("protocol")
            self._block ^= 1
            at += step
        return await self._receive(await self._send(_I_BLOCK, apdu[at:]))

    # Ends the protocol; the card sleeps until WUPA. No answer is no fault: the card may be gone.
    # But a card that only missed it would hear nothing else, so it is asked again (8.2).
    async def deselect(self):
        if self._is_active:
            self._is_active = False
            for _ in range(1 + _RETRIES):
                if await self._exchange(_DESELECT, _DEACTIVATION_US) >= 0:
                    return

    # The answer whose first I-block, of size bytes, is in rx; the rest is fetched (7.5.3, rule 2).
    async def _receive(self, size):
        answer = bytearray()
        while True:
            pcb = self._pcd.rx[0]
            if pcb & ~_CHAINING & 0xFF != _I_BLOCK | self._block:
                raise CardError("protocol")
            answer += self._pcd.rx[1:size]
            if len(answer) > _ANSWER_MAX:
                raise CardError("overflow")
            self._block ^= 1
            if not pcb & _CHAINING:
                return bytes(answer)
            if size == 1:
                raise CardError("protocol")  # an endless chain of nothing
            size = await self._send(_R_ACK, b"")

    # Sends a block until a valid answer to it is in rx; returns the answer's size.
    # 1. A lost or damaged answer is asked for by R(NAK), after an R(ACK) by that again (rules 4
    #    and 5).
    # 2. S(WTX): granted, the card has that much more time (7.3).
    # 3. R(ACK) with the other block number: our I-block was lost, it is sent again (rule 6).
    async def _send(self, pcb, inf):
        ours = bytes((pcb | self._block,)) + bytes(inf)
        out, timeout_us = ours, self._fwt_us
        retries = 0
        while True:
            size = await self._exchange(out, min(timeout_us, self._left_us()))
            out, timeout_us = ours, self._fwt_us
            answer = self._pcd.rx[0]
            if size > 0 and answer == _WTX:
                # WTXM, 1 to 59, times FWT (7.3).
                multiplier = self._pcd.rx[1] & 0x3F
                if size != 2 or not 1 <= multiplier <= 59:
                    raise CardError("protocol")
                out = bytes((_WTX, multiplier))
                timeout_us = min(self._fwt_us * multiplier, _FWT_MAX_US)
                continue
            is_lost = answer & 0xF6 == _R_ACK and answer & 1 != self._block and pcb != _R_ACK
            if size > 0 and not is_lost:
                return size
            retries += 1
            if size == DEAF or retries > _RETRIES:
                raise CardError(size if size < 0 else "protocol")
            if size < 0 and pcb != _R_ACK:
                out = bytes((_R_NAK | self._block,))

    # What is left of the limit; raises CardError when nothing is.
    def _left_us(self):
        left_ms = self._limit_ms - self._clock.ticks_diff(self._clock.ticks_ms(), self._began_ms)
        if left_ms <= 0:
            raise CardError("timeout")
        return left_ms * 1000

    # One frame out and one in, each with its CRC_A; returns the size without CRC, or what went
    # wrong as a negative number.
    async def _exchange(self, out, timeout_us):
        self._frame[: len(out)] = out
        size = append_crc(self._frame, len(out))
        return checked(
            self._pcd.rx, await self._pcd.transceive_slowly(self._frame, size, timeout_us)
        )
