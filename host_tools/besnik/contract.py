"""What reader and host say to each other: topics and messages, defined once.

The firmware cannot import this file; both sides are held together by the recorded
messages in ``tests/contract/messages.json``, which the tests of both sides read.
Root of every topic: ``besnik/v1/{shop}/{reader}/{leaf}``; the bridges have one of their own.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache
from typing import Annotated, Final, Literal, TypeVar

import msgspec

ROOT: Final = "besnik/v1"
# Retained: whether any bridge answers taps (``State``). One topic for all shops, because a client
# has one will only.
BRIDGE_STATE: Final = f"{ROOT}/bridge/state"
ID_PATTERN: Final = r"^[a-z0-9-]{1,16}\Z"
# The host's own users at the broker, where a reader is a user too, and what their client ids begin
# with: whoever has such a name could take over their sessions.
HOST_USERS: Final = ("bridge", "site", "monitor", "fleet")
_HOST_PREFIX: Final = "besnik-"
TAP_ID_PATTERN: Final = r"^[0-9]{5}-[0-9]{6}\Z"
TOPIC_MAX_BYTES: Final = 64
PAYLOAD_MAX_BYTES: Final = 1024
# What a reader can store in one directory entry: littlefs keeps a file of up to 128 bytes inline,
# which costs a tenth of the erases (firmware.md, section 6). Every UID tap stays below it, and so
# does a SUN tap of the shortest address without ``s``: that address is 53 characters long
# (``e=`` 32 ``&c=`` 16), so 120 bytes are not enough. A longer address costs the reader an erase.
TAP_MAX_BYTES: Final = 128
VERDICT_EXPIRY_S: Final = 5
# A transaction with a card through its reader: the host gives up after this time, the reader
# after a second more.
APDU_TOTAL_S: Final = 2
# Before the bytes of a release: its number, the piece (below 0: signature, manifest), the offset.
PART_HEADER: Final = ">IhI"
SAK_ISO_DEP: Final = 0x20  # ISO/IEC 14443-3, 6.5.3: the card speaks ISO/IEC 14443-4
SAK_TYPE2: Final = 0x00  # NXP AN10833: NTAG 21x and Ultralight, which take commands of their own

_M = TypeVar("_M", bound=msgspec.Struct)

Id = Annotated[str, msgspec.Meta(pattern=ID_PATTERN)]
TapId = Annotated[str, msgspec.Meta(pattern=TAP_ID_PATTERN)]
# 2**53 - 1: the largest integer every JSON reader keeps exact, and one every column holds.
Uint = Annotated[int, msgspec.Meta(ge=0, le=9_007_199_254_740_991)]
UnixTime = Annotated[int, msgspec.Meta(ge=0, le=253_402_300_799)]  # to 9999-12-31
# A UID of 4, 7 or 10 bytes, or the part of a card's NDEF address after its first "?", as it was
# read: ASCII without what JSON would have to escape.
_EVIDENCE: Final[Mapping[str, re.Pattern[str]]] = {
    "uid": re.compile(r"([0-9A-F]{8}|[0-9A-F]{14}|[0-9A-F]{20})\Z"),
    "sun": re.compile(r"[!#-\[\]-~]{8,160}\Z"),
}
Sak = Annotated[int, msgspec.Meta(ge=0, le=255)]
# Bytes as upper-case hex; the longest command and answer of the short APDUs (ISO/IEC 7816-4).
Command = Annotated[str, msgspec.Meta(pattern=r"^([0-9A-F]{2}){1,261}\Z")]
Answer = Annotated[str, msgspec.Meta(pattern=r"^([0-9A-F]{2}){1,400}\Z")]
Step = Annotated[int, msgspec.Meta(ge=1, le=99)]

Outcome = Literal["accepted", "rejected"]
Reason = Literal[
    "ok", "unknown", "blocked", "expired", "replayed", "random_id", "too_soon", "pending", "error"
]
NoAnswer = Literal["gone", "busy", "forbidden", "timeout", "protocol", "format"]
ReleaseNumber = Annotated[int, msgspec.Meta(ge=1, le=2**27 - 1)]  # in an i32 with more (boot.py)
Examination = Literal[
    "wiring", "card", "antenna", "red", "green", "tone", "dark", "health", "clock", "end"
]
UpdateStep = Literal["loading", "ready", "trying", "kept", "refused", "rolled_back"]


class ContractError(ValueError):
    """A topic or payload that is not in the contract; the text says why."""


class Tap(msgspec.Struct, frozen=True):
    """One presentation of a card at a reader (topic ``tap``).

    ``id`` is boot counter and sequence, unique per reader without a clock.
    ``k`` is the kind of evidence and ``d`` the evidence: for ``uid`` upper-case hex, for ``sun``
    the part of the card's address after its first ``?``.
    ``t`` is Unix time in seconds by the reader's clock, ``tq`` that clock's quality
    (0 unset, 1 kept over a reset, 2 set from the network), ``q`` 1 if it waited in the outbox.
    ``s`` is the card's SAK, said when the host may talk to the card through this reader.
    """

    v: Literal[1]
    id: TapId
    k: Literal["uid", "sun"]
    d: str
    t: UnixTime
    tq: Literal[0, 1, 2]
    q: Literal[0, 1]
    s: Sak | msgspec.UnsetType = msgspec.UNSET

    def __post_init__(self) -> None:
        """Hold evidence to its form; ValueError in msgspec's words, so that it names the field."""
        form = _EVIDENCE[self.k]
        if not form.match(self.d):
            raise ValueError(f"Expected `str` matching regex '^{form.pattern}' - at `$.d`")

    @property
    def is_iso_dep(self) -> bool:
        """Whether the reader says that its card takes APDUs."""
        return self.s is not msgspec.UNSET and bool(self.s & SAK_ISO_DEP)

    @property
    def is_type2(self) -> bool:
        """Whether the reader says that its card takes the commands of an NTAG 21x."""
        return self.s is not msgspec.UNSET and self.s == SAK_TYPE2


class Verdict(msgspec.Struct, frozen=True):
    """The host's answer to a tap and the reader's receipt for it (topic ``verdict``).

    Accepted as ``pending``: the visit counts, whose it is will be known later.
    """

    id: TapId
    r: Outcome
    why: Reason


class State(msgspec.Struct, frozen=True):
    """Birth, will and goodbye (topic ``state``, retained); ``bd`` is the boot counter.

    A bridge says the same on ``BRIDGE_STATE``; its ``bd`` is its start in Unix seconds, and
    ``offline`` there means also that the database is away.
    """

    s: Literal["online", "lost", "offline"]
    bd: Uint

    def follows(self, known: State) -> bool:
        """Tell whether this is news after ``known``: a late will cannot bury a newer birth."""
        return self.s == "online" or self.bd >= known.bd


class Info(msgspec.Struct, frozen=True):
    """What a reader is made of (topic ``info``, retained, once per connection)."""

    fw: str
    umqtt: str
    mpy: str
    reset: Uint
    bd: Uint
    cfg: Uint


class Health(msgspec.Struct, frozen=True):
    """How a reader does (topic ``health``); heap in bytes, times in the unit named."""

    up_s: Uint
    rssi_dbm: int | None
    heap_free: Uint
    outbox: Uint
    outbox_dropped: Uint
    reconnects: Uint
    rc522_recoveries: Uint
    verdict_ms: Uint | None


class Visit(msgspec.Struct, frozen=True):
    """What the cashier's screen reacts to (topic ``visit``): references only, no personal data.

    ``tap`` is the tap's id at its reader, ``member`` the member's public reference or null.
    """

    v: Literal[1]
    tap: TapId
    shop: Id
    reader: Id
    member: str | None
    r: Outcome
    why: Reason


class ApduCommand(msgspec.Struct, frozen=True, omit_defaults=True):
    """The host's word to the card that lies on a reader (topic ``apdu/cmd``).

    ``tx`` is the id of that card's tap, ``n`` rises by one from 1. Either ``c`` is a command,
    or ``end`` closes the transaction.
    """

    tx: TapId
    n: Step
    c: Command | msgspec.UnsetType = msgspec.UNSET
    end: Literal[1] | msgspec.UnsetType = msgspec.UNSET

    def __post_init__(self) -> None:
        """Hold it to one of both; ValueError."""
        if (self.c is msgspec.UNSET) == (self.end is msgspec.UNSET):
            raise ValueError("Expected either `c` or `end`")


class ApduAnswer(msgspec.Struct, frozen=True, omit_defaults=True):
    """What the card answered to command ``n`` (topic ``apdu/rsp``), or why there is no answer.

    ``r`` is the answer with its status word. ``e``: ``gone`` the card of that tap is not there
    (any more), ``busy`` the command before is not answered yet, ``forbidden`` not on the
    reader's list of commands, ``timeout`` and ``protocol`` the card is silent or garbled,
    ``format`` the command could not be read or is out of order. After ``e`` the transaction is
    over.
    """

    tx: TapId
    n: Step
    r: Answer | msgspec.UnsetType = msgspec.UNSET
    e: NoAnswer | msgspec.UnsetType = msgspec.UNSET

    def __post_init__(self) -> None:
        """Hold it to one of both; ValueError."""
        if (self.r is msgspec.UNSET) == (self.e is msgspec.UNSET):
            raise ValueError("Expected either `r` or `e`")


class UpdateOrder(msgspec.Struct, frozen=True, omit_defaults=True):
    """The host's word that a reader shall take release ``n`` (topic ``cmd/update``).

    After the second ``x`` (Unix time) it is void. ``ok``: the release that the reader tries was
    heard to work, keep it.
    """

    id: Annotated[str, msgspec.Meta(pattern=r"^[0-9A-Za-z-]{1,16}\Z")]
    n: ReleaseNumber
    x: UnixTime
    ok: bool = False


class UpdateAsk(msgspec.Struct, frozen=True):
    """A reader asks for the bytes of a release from ``o`` on (topic ``update/get``).

    ``f`` is -2 for the signature, -1 for the manifest, else the file's place in the manifest.
    The answer on ``update/part`` is ``PART_HEADER`` (``n``, ``f``, ``o``) and up to 256 bytes.
    """

    n: ReleaseNumber
    f: Annotated[int, msgspec.Meta(ge=-2, le=999)]
    o: Annotated[int, msgspec.Meta(ge=0, le=2**31 - 1)]


class UpdateState(msgspec.Struct, frozen=True):
    """How far a reader is with release ``n`` (topic ``update/state``); ``p`` is per cent loaded.

    ``why`` of ``refused``: signature, board, mpy, number, truncated, hash, space, expired or busy.
    """

    n: ReleaseNumber
    s: UpdateStep
    why: Annotated[str, msgspec.Meta(max_length=64)] = ""
    p: Annotated[int, msgspec.Meta(ge=0, le=100)] = 0


class DoctorOrder(msgspec.Struct, frozen=True):
    """What a reader shall measure or show (topic ``cmd/doctor``); no card counts meanwhile.

    ``end`` ends the visit, as does a minute without an order; the reader starts anew then.
    """

    id: Annotated[str, msgspec.Meta(pattern=r"^[0-9A-Za-z-]{1,16}\Z")]
    do: Examination


class DoctorResult(msgspec.Struct, frozen=True):
    """What came of the order of that ``id`` (topic ``cmd/result``).

    ``r`` is as firmware/checkup.py says for ``wiring`` and ``antenna``, whether there was one for
    ``card``, a ``Health`` for ``health``, the clock's quality and Unix seconds for ``clock``,
    else null.
    """

    id: Annotated[str, msgspec.Meta(pattern=r"^[0-9A-Za-z-]{1,16}\Z")]
    r: msgspec.Raw


class Address(msgspec.Struct, frozen=True):
    """The parsed form of a topic."""

    shop: str
    reader: str
    leaf: str


def topic(shop: str, reader: str, leaf: str) -> str:
    """Return the topic for one leaf of one reader; ContractError if it cannot be one."""
    for name in (shop, reader):
        if not re.fullmatch(ID_PATTERN, name):
            raise ContractError(f"id {name!r} must match {ID_PATTERN}")
    text = f"{ROOT}/{shop}/{reader}/{leaf}"
    if len(text.encode()) > TOPIC_MAX_BYTES:
        raise ContractError(f"topic {text!r} is longer than {TOPIC_MAX_BYTES} bytes")
    return text


def parse_topic(text: str) -> Address:
    """Return shop, reader and leaf of a topic; ContractError if it is not one of ours."""
    parts = text.split("/", 4)
    if len(parts) != 5 or "/".join(parts[:2]) != ROOT or not parts[4]:
        raise ContractError("not a topic of the form besnik/v1/{shop}/{reader}/{leaf}")
    for name in parts[2:4]:
        if not re.fullmatch(ID_PATTERN, name):
            raise ContractError(f"id in topic must match {ID_PATTERN}")
    return Address(parts[2], parts[3], parts[4])


def decode(payload: bytes, kind: type[_M]) -> _M:
    """Return the message in ``payload``; ContractError says what is wrong with it."""
    if len(payload) > PAYLOAD_MAX_BYTES:
        raise ContractError(f"payload of {len(payload)} bytes is over {PAYLOAD_MAX_BYTES}")
    try:
        message: _M = _decoder(kind).decode(payload)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise ContractError(str(error)) from error
    return message


@cache
def _decoder(kind: type[_M]) -> msgspec.json.Decoder[_M]:
    return msgspec.json.Decoder(kind)


encoder: Final = msgspec.json.Encoder()


def encode(message: msgspec.Struct) -> bytes:
    """Return the message as compact JSON."""
    return encoder.encode(message)


def is_host_name(name: str) -> bool:
    """Tell whether a name belongs to the host at the broker, so that no reader can have it."""
    return name in HOST_USERS or name.startswith(_HOST_PREFIX)
