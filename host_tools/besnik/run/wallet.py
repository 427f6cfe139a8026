"""The demo's cards as the virtual counter makes them, and the keys that prove them.

The keys are random and stay in the demo's folder, as a shop's do.
"""

from __future__ import annotations

import secrets
import tomllib
from pathlib import Path
from typing import Any, Final

import msgspec

from besnik import broker, demo
from besnik.credentials.an10922 import card_message, diversify
from besnik.credentials.keyring import NTAG_AID

_ADDRESS: Final = "https://corner.example/t?"
_TEMPLATE: Final = "e={picc}&m={mac}"
_SYSTEM: Final = "besnik"
_UNUSED: Final = "00" * 16


def write(cards_file: Path, keys_file: Path) -> None:
    """Write the cards for the counter; make the keys first if there are none."""
    if not keys_file.exists():
        broker.write_private(keys_file, _new_keys())
    keys = tomllib.loads(keys_file.read_text(encoding="utf-8"))
    cards_file.touch(mode=0o600)
    cards_file.write_bytes(msgspec.json.encode([_card(card, keys) for card in demo.CARDS]))


def _new_keys() -> str:
    meta, file = (secrets.token_hex(16).upper() for _ in range(2))
    return (
        f'[[sun]]\nversion = 1\ntemplate = "{_TEMPLATE}"\nmeta_key = "{meta}"\n'
        f'file_key = "{file}"\n'
    )


def _card(card: demo.DemoCard, keys: dict[str, Any]) -> dict[str, Any]:
    described: dict[str, Any] = msgspec.to_builtins(card)
    if card.uid is not None and card.type == "ntag424":
        sun = keys["sun"][0]
        message = card_message(bytes.fromhex(card.uid), NTAG_AID, _SYSTEM)
        own = diversify(bytes.fromhex(sun["file_key"]), message).hex().upper()
        described["address"] = _ADDRESS + _TEMPLATE
        described["keys"] = [_UNUSED, own, sun["meta_key"], _UNUSED, _UNUSED]
    return described
