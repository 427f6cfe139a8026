"""Where a card mirrors its proof into its NDEF address: ``e={picc}&m={mac}``.

A template is the part of the address after the first ``?``, with a name in braces for every
part that the card writes itself (NTAG 424 DNA, secure dynamic messaging):

``{picc}``  encrypted UID and counter, 32 digits (48 if the card is set to LRP)
``{uid}``   UID in clear, 14 digits
``{ctr}``   counter in clear, 6 digits, most significant first
``{file}``  encrypted file data, 32, 64 or 96 digits
``{mac}``   CMAC, 16 digits
``{start}`` nothing; marks where the MAC input begins, if that is not at ``{file}``, or at
            ``{mac}`` in a template without ``{file}``

All digits are upper-case hex, as the card writes them. Every other character must be found in
the address as it stands in the template.
"""

from __future__ import annotations

import re
from typing import Final

import msgspec

TEXT_MIN: Final = 8
TEXT_MAX: Final = 160

_FIELDS: Final = {
    "picc": r"(?P<picc>[0-9A-F]{48}|[0-9A-F]{32})",
    "uid": r"(?P<uid>[0-9A-F]{14})",
    "ctr": r"(?P<ctr>[0-9A-F]{6})",
    "file": r"(?P<file>(?:[0-9A-F]{32}){1,3})",
    "mac": r"(?P<mac>[0-9A-F]{16})",
    "start": r"(?P<start>)",
}
_PLACEHOLDER: Final = re.compile(r"\{([^{}]*)\}")
_LITERAL: Final = re.compile(r"[!-z|~]*\Z")  # what an address is made of: no space, no braces
_LRP_PICC_BYTES: Final = 24


class TemplateError(ValueError):
    """A template that cannot be used; the text says what to change."""


class SunFields(msgspec.Struct, frozen=True):
    """What a card wrote into its address, as bytes; parts the template lacks are empty.

    ``ctr`` is least significant first, as the cryptography wants it; ``mac_input`` is raw text.
    """

    picc: bytes
    uid: bytes
    ctr: bytes
    file: bytes
    mac: bytes
    mac_input: bytes

    @property
    def is_lrp(self) -> bool:
        """Whether the card speaks LRP instead of AES (NT4H2421Gx, 9.3.4)."""
        return len(self.picc) == _LRP_PICC_BYTES


class SunTemplate:
    """A template, ready to read addresses with."""

    __slots__ = ("_pattern", "fields", "text")

    def __init__(self, text: str) -> None:
        """Parse ``text``; TemplateError if no card could be read with it."""
        # Literal text and names of fields, in turn.
        parts = _PLACEHOLDER.split(text)
        names = parts[1::2]
        _check(parts[0::2], names)
        self.text = text
        self.fields = frozenset(names)
        self._pattern = re.compile(
            "".join(
                _FIELDS[part] if place % 2 else re.escape(part) for place, part in enumerate(parts)
            )
        )

    def __repr__(self) -> str:
        return f"SunTemplate({self.text!r})"

    def read(self, text: str) -> SunFields | None:
        """Return what the card wrote into ``text``, or None if the template does not fit."""
        match = self._pattern.fullmatch(text) if TEXT_MIN <= len(text) <= TEXT_MAX else None
        if match is None:
            return None
        found = match.groupdict(default="")
        begin = next(match.start(name) for name in ("start", "file", "mac") if name in found)
        return SunFields(
            picc=bytes.fromhex(found.get("picc", "")),
            uid=bytes.fromhex(found.get("uid", "")),
            ctr=bytes.fromhex(found.get("ctr", ""))[::-1],
            file=bytes.fromhex(found.get("file", "")),
            mac=bytes.fromhex(found["mac"]),
            mac_input=text[begin : match.start("mac")].encode("ascii"),
        )


def _check(literals: list[str], names: list[str]) -> None:
    known = ", ".join(f"{{{name}}}" for name in _FIELDS)
    if not all(_LITERAL.match(literal) for literal in literals):
        raise TemplateError("has a character that no address has; braces only name a part")
    if unknown := [name for name in names if name not in _FIELDS]:
        raise TemplateError(f"{{{unknown[0]}}} is no part of an address; known: {known}")
    if len(set(names)) != len(names):
        raise TemplateError("names a part twice")
    if "mac" not in names:
        raise TemplateError("lacks {mac}: without it an address proves nothing")
    plain = {"uid", "ctr"} & set(names)
    if ("picc" in names) == bool(plain) or len(plain) == 1:
        raise TemplateError("needs either {picc}, or {uid} and {ctr}")
    after = names[names.index("mac") :]
    if "file" in after or "start" in after:
        raise TemplateError("{file} and {start} stand before {mac}: the card signs no other way")
    if "start" in names and "file" in names and names.index("start") > names.index("file"):
        raise TemplateError("{start} stands before {file}: the card signs what it encrypts")
