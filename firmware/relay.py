# The host talks to the card that rests on the reader, command by command: the reader carries the
# bytes, keys and judgement stay on the host. One transaction at a time, nothing that writes.

import binascii
import json

from iso14443 import CardError
from micropython import const

_LIMIT_MS = const(3000)
_WAIT_MS = const(5)
_SAK_ISO_DEP = const(0x20)
_SAK_TYPE2 = const(0x00)
_REFUSALS_MAX = const(4)
_ANSWER_MAX = const(400)  # an answer message must stay below 1 KiB

# What the host may send. ISO 7816-4: SELECT, READ BINARY, GET DATA. Wrapped native commands of
# DESFire and NTAG 424: SelectApplication, GetVersion, AuthenticateEV2First, AuthenticateAES,
# AdditionalFrame, GetCardUID, GetApplicationIDs, Read_Sig. Type 2: GET_VERSION, READ, READ_CNT,
# READ_SIG.
_APDUS = (
    b"\x00\xa4",
    b"\x00\xb0",
    b"\x00\xca",
    b"\x90\x5a",
    b"\x90\x60",
    b"\x90\x71",
    b"\x90\xaa",
    b"\x90\xaf",
    b"\x90\x51",
    b"\x90\x6a",
    b"\x90\x3c",
)
_TYPE2 = {0x60: 8, 0x30: 16, 0x39: 3, 0x3C: 32}


# send(message) is a coroutine that publishes an answer. tap_id names the tap whose card rests on
# the reader: commands for another are answered "gone".
class Relay:
    def __init__(self, pcd, cards, clock, send):
        self._pcd = pcd
        self._cards = cards
        self._clock = clock
        self._send = send
        self._command = None
        self._expected = 1
        self._refusals = []
        self.tap_id = None

    # The card of the last tap is gone, or another one is there.
    def forget(self):
        self.tap_id = None
        self._command = None

    # A message from the host (JSON, contract "apdu/cmd").
    def on_command(self, payload):
        try:
            command = json.loads(payload)
            tx, number = command["tx"], command["n"]
            data = None if command.get("end") else binascii.unhexlify(command["c"])
        except (ValueError, KeyError, TypeError):
            return
        if not isinstance(tx, str) or not isinstance(number, int):
            return
        if tx == self.tap_id and not self._command:
            self._command = (tx, number, data)
        elif len(self._refusals) < _REFUSALS_MAX:
            self._refusals.append((tx, number, "gone" if tx != self.tap_id else "busy"))

    # Waits that long for the first command of a transaction; True when it is there.
    async def is_asked(self, wait_ms):
        for _ in range(wait_ms // _WAIT_MS):
            await self.answer_refusals()
            if self._command:
                return True
            await self._clock.sleep_ms(_WAIT_MS)
        return False

    # Tells the host what was not done.
    async def answer_refusals(self):
        while self._refusals:
            tx, number, reason = self._refusals.pop(0)
            await self._send(json.dumps({"tx": tx, "n": number, "e": reason}).encode())

    # Runs one transaction with the card of that UID. Leaves the card halted.
    async def serve(self, uid):
        session = None
        self._expected = 1
        began_ms = self._clock.ticks_ms()
        try:
            left_ms = _LIMIT_MS
            while self._command and left_ms > 0:
                tx, number, data = self._command
                self._command = None
                if data is None:
                    return
                try:
                    session = session or await self._open(uid)
                    answer = {"r": await self._run(session, number, data)}
                except CardError as error:
                    answer = {"e": _word(error.reason)}
                answer["tx"], answer["n"] = tx, number
                await self._send(json.dumps(answer).encode())
                if "e" in answer:
                    return
                left_ms = _LIMIT_MS - self._clock.ticks_diff(self._clock.ticks_ms(), began_ms)
                await self.is_asked(left_ms)
        finally:
            if session:
                await session.close()

    async def _run(self, session, number, data):
        if number != self._expected:
            raise CardError("format")
        self._expected += 1
        answer = await session.transceive(data)
        if len(answer) > _ANSWER_MAX:
            raise CardError("protocol")
        return binascii.hexlify(answer).decode().upper()

    async def _open(self, uid):
        try:
            return await self._selected(uid)
        except CardError:
            # Half selected it would miss the next WUPA, as if it were gone.
            self._cards.halt()
            raise

    async def _selected(self, uid):
        if not self._cards.wake():
            raise CardError("timeout")
        card = self._cards.reselect(uid)
        if card.sak & _SAK_ISO_DEP:
            from isodep import IsoDep

            session = _IsoDepSession(IsoDep(self._pcd, self._clock))
            await session.open()
            return session
        # To other families the same bytes are other commands: 60 begins an authentication.
        if card.sak != _SAK_TYPE2:
            raise CardError("forbidden")
        from type2 import Type2

        return _Type2Session(Type2(self._pcd), self._cards)


class _IsoDepSession:
    def __init__(self, isodep):
        self._isodep = isodep

    async def open(self):
        await self._isodep.activate(_LIMIT_MS)

    async def transceive(self, data):
        if data[:2] not in _APDUS:
            raise CardError("forbidden")
        return await self._isodep.transceive(data)

    async def close(self):
        await self._isodep.deselect()


class _Type2Session:
    def __init__(self, type2, cards):
        self._type2 = type2
        self._cards = cards

    async def transceive(self, data):
        expected = _TYPE2.get(data[0]) if data else None
        if not expected or len(data) > 2:
            raise CardError("forbidden")
        return self._type2.ask(data, expected)

    async def close(self):
        self._cards.halt()


# The contract's word for what went wrong.
def _word(reason):
    if reason in ("forbidden", "format"):
        return reason
    return "timeout" if reason == "timeout" else "protocol"
