"""A card nobody knows is asked whether NXP made it, before somebody enrols it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from besnik.sim.model.desfire_picc import desfire
from besnik.sim.model.isodep_picc import Application
from besnik.sim.model.phone_picc import payment
from support.bridge import ANA, CardStation, ReaderStation
from support.cards import (
    EV2_KEY,
    KEY_FILE,
    OWN_AID,
    own_key,
    signature,
    signer_table,
    write_keys,
)
from support.orm import models_on
from support.processes import Running
from support.store import rows

STRANGER, OURS, RANDOM = "04A1A2A3A4A5A6", "04E1E2E3E4E5E6", "08A1B2C3"
TYPE_2, ISO_DEP = 0x00, 0x20
WRITTEN = "SELECT kind, data, tier, outcome, reason, finding FROM store_tap ORDER BY id"
Answers = Callable[[dict[str, Any]], dict[str, Any]]


@pytest.fixture(autouse=True)
def keys(state: Path) -> Path:
    return write_keys(state, KEY_FILE + signer_table(32) + signer_table(56))


async def verdict(reader: ReaderStation, uid: str, sak: int) -> str:
    reader.tap(uid, s=sak)
    return str((await reader.hear())["why"])


def type_2(answer: str) -> Answers:
    """A reader with a Type 2 card that shows this as its signature."""

    def say(command: dict[str, Any]) -> dict[str, Any]:
        return {"r": answer} if command["c"] == "3C00" else {"e": "forbidden"}

    return say


def signed(uid: str, signed_uid: str) -> Application:
    """Return a DESFire of somebody else, with a signature over this UID."""
    app: Application = desfire(bytes.fromhex(uid), {}).app
    app.signature = signature(signed_uid, 56)  # type: ignore[attr-defined]  # NxpApplication's
    return app


@pytest.mark.parametrize(
    ("shown", "finding"),
    [(signature(STRANGER, 32).hex().upper(), "genuine"),
     (signature(OURS, 32).hex().upper(), "copy"),
     ("00" * 32, "copy"),
     ("00", "copy")],
    ids=["signed", "signed-for-another", "zeros", "short"],
)  # fmt: skip
async def test_a_type_2_card_is_asked_for_its_signature_and_enrolled_with_the_finding(
    bridge: Running,
    reader: ReaderStation,
    on_reader: CardStation,
    database_url: str,
    shown: str,
    finding: str,
) -> None:
    from besnik.store.members import enrol_tap
    from besnik.store.models import Card, Tap

    def enrolled() -> str:
        with models_on(database_url):
            enrol_tap(Tap.objects.get(), name="Mira Dushi", language="sq")
            return Card.objects.get(data=STRANGER).originality

    on_reader.answer = type_2(shown)
    assert await verdict(reader, STRANGER, TYPE_2) == "unknown"
    assert rows(database_url, WRITTEN) == [("uid", STRANGER, "D", "rejected", "unknown", finding)]
    assert [each.get("c", "end") for each in on_reader.commands] == ["3C00", "end"]
    assert await asyncio.to_thread(enrolled) == finding
    # Known now, it is not asked again; and however genuine, it stays a number that can be copied.
    assert await verdict(reader, STRANGER, TYPE_2) == "ok"
    assert rows(database_url, WRITTEN)[1] == ("uid", STRANGER, "D", "accepted", "ok", "")
    assert len(on_reader.commands) == 2


@pytest.mark.parametrize(
    ("card", "finding"),
    [(signed(STRANGER, STRANGER), "genuine"), (signed(STRANGER, OURS), "copy"),
     (payment(bytes.fromhex(STRANGER)).app, "")],
    ids=["signed", "signed-for-another", "bank-card"],
)  # fmt: skip
async def test_a_foreign_card_with_apdus_is_asked_after_it_could_not_prove_itself(
    bridge: Running,
    reader: ReaderStation,
    on_reader: CardStation,
    database_url: str,
    card: Application,
    finding: str,
) -> None:
    on_reader.lay(card)
    assert await verdict(reader, STRANGER, ISO_DEP) == "unknown"
    assert rows(database_url, WRITTEN) == [("uid", STRANGER, "D", "rejected", "unknown", finding)]
    assert on_reader.commands[-2]["c"] == "903C0000010000"


async def test_a_card_of_ours_proves_more_and_is_not_asked(
    bridge: Running, reader: ReaderStation, on_reader: CardStation, database_url: str
) -> None:
    keys = [bytes(16), own_key(EV2_KEY, OURS, OWN_AID)]
    on_reader.lay(desfire(bytes.fromhex(OURS), {OWN_AID: keys}).app)
    assert await verdict(reader, OURS, ISO_DEP) == "unknown"
    assert rows(database_url, WRITTEN) == [("ev2", OURS, "A", "rejected", "unknown", "")]
    assert "903C0000010000" not in on_reader.sent("00042-000001")


@pytest.mark.parametrize("word", ["gone", "timeout", "protocol", "forbidden"])
async def test_a_card_that_does_not_answer_is_unknown_and_not_checked(
    bridge: Running, reader: ReaderStation, on_reader: CardStation, database_url: str, word: str
) -> None:
    """An old Ultralight has no signature, and an old reader's list no such command."""
    on_reader.answer = lambda _command: {"e": word}
    assert await verdict(reader, STRANGER, TYPE_2) == "unknown"
    assert rows(database_url, WRITTEN) == [("uid", STRANGER, "D", "rejected", "unknown", "")]


async def test_who_is_known_or_shows_no_number_of_its_own_is_not_asked(
    bridge: Running, reader: ReaderStation, on_reader: CardStation, database_url: str
) -> None:
    assert await verdict(reader, ANA, TYPE_2) == "ok"
    assert await verdict(reader, RANDOM, TYPE_2) == "random_id"
    assert on_reader.commands == []
