"""The other side of the host's card cryptography: cards that write addresses and answer APDUs."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TypeVar

from besnik.credentials.aes import (
    ZERO_IV,
    cbc_decrypt,
    cbc_encrypt,
    cmac,
    encrypt_block,
    short_cmac,
)
from besnik.credentials.exchange import Exchange

T = TypeVar("T")


def sun_address(
    template: str,
    *,
    uid: bytes,
    counter: int,
    file_key: bytes,
    meta_key: bytes = bytes(16),
    file_data: bytes = b"",
    random: bytes = bytes(5),
    tag: int = 0xC7,
) -> str:
    """Return what an NTAG 424 DNA with these keys writes for ``template``."""
    ctr = counter.to_bytes(3, "little")
    enc_key = cmac(file_key, bytes.fromhex("C33C00010080") + uid + ctr)
    mac_key = cmac(file_key, bytes.fromhex("3CC300010080") + uid + ctr)
    picc = cbc_encrypt(meta_key, ZERO_IV, bytes((tag,)) + uid + ctr + random)
    file = cbc_encrypt(enc_key, encrypt_block(enc_key, ctr + bytes(13)), file_data)
    written = {
        "{picc}": picc.hex().upper(),
        "{uid}": uid.hex().upper(),
        "{ctr}": f"{counter:06X}",
        "{file}": file.hex().upper(),
    }
    for name, text in written.items():
        template = template.replace(name, text)
    if "{start}" in template:
        before, template = template.split("{start}")
    elif file:
        before, template = template.split(written["{file}"])
        template = written["{file}"] + template
    else:
        before, template = template.split("{mac}")
        template = "{mac}" + template
    signed, after = template.split("{mac}")
    mac = short_cmac(mac_key, signed.encode())
    return before + signed + mac.hex().upper() + after


class Ev2Card:
    """A card with applications and AES keys that knows selection, EV2First and GetCardUID."""

    def __init__(self, uid: bytes, keys: Mapping[tuple[bytes, int], bytes]) -> None:
        self.uid = uid
        self.keys = keys
        self.commands: list[bytes] = []
        self.rnd_b = bytes.fromhex("B9E2FC789B64BF237CCCAA20EC7E6E48")
        self.ti = bytes.fromhex("9D00C4DF")
        self._aid = b""
        self._key = b""
        self._session: tuple[bytes, bytes] | None = None
        self._counter = 0

    def reply(self, command: bytes) -> bytes:
        """Return the answer to one APDU."""
        self.commands.append(command)
        known: dict[bytes, Callable[[bytes], bytes]] = {
            b"\x90\x5a": self._select,
            b"\x00\xa4": self._select,
            b"\x90\x71": self._first,
            b"\x90\xaf": self._second,
            b"\x90\x51": self._card_uid,
        }
        return known[command[:2]](command[5:-1])

    def _select(self, aid: bytes) -> bytes:
        native = len(aid) == 3
        self._session = None
        if aid not in {held for held, _ in self.keys}:
            return b"\x91\xa0" if native else b"\x6a\x82"
        self._aid = aid
        return b"\x91\x00" if native else b"\x90\x00"

    def _first(self, data: bytes) -> bytes:
        assert data[1:] == b"\0"
        if (self._aid, data[0]) not in self.keys:
            return b"\x91\x40"
        self._key = self.keys[self._aid, data[0]]
        return cbc_encrypt(self._key, ZERO_IV, self.rnd_b) + b"\x91\xaf"

    def _second(self, data: bytes) -> bytes:
        plain = cbc_decrypt(self._key, ZERO_IV, data)
        rnd_a, rnd_b = plain[:16], self.rnd_b
        if plain[16:] != rnd_b[1:] + rnd_b[:1]:
            return b"\x91\xae"
        mixed = bytes(a ^ b for a, b in zip(rnd_a[2:8], rnd_b[:6], strict=True))
        context = bytes.fromhex("00010080") + rnd_a[:2] + mixed + rnd_b[6:] + rnd_a[8:]
        self._session = (
            cmac(self._key, b"\xa5\x5a" + context),
            cmac(self._key, b"\x5a\xa5" + context),
        )
        self._counter = 0
        answer = self.ti + rnd_a[1:] + rnd_a[:1] + bytes(12)
        return cbc_encrypt(self._key, ZERO_IV, answer) + b"\x91\x00"

    def _card_uid(self, mac: bytes) -> bytes:
        if self._session is None:
            return b"\x91\xae"
        enc_key, mac_key = self._session
        if mac != short_cmac(mac_key, b"\x51" + self._counter.to_bytes(2, "little") + self.ti):
            return b"\x91\x1e"
        self._counter += 1
        count = self._counter.to_bytes(2, "little")
        iv = encrypt_block(enc_key, b"\x5a\xa5" + self.ti + count + bytes(8))
        sealed = cbc_encrypt(enc_key, iv, self.uid + b"\x80" + bytes(15 - len(self.uid)))
        return sealed + short_cmac(mac_key, b"\0" + count + self.ti + sealed) + b"\x91\x00"


def talk(exchange: Exchange[T], reply: Callable[[bytes], bytes], limit: int = 20) -> T:
    """Carry bytes between an exchange and a card, as a reader does, and return the result."""
    for _ in range(limit):
        if exchange.command is None:
            break
        exchange.answer(reply(exchange.command))
    return exchange.result
