"""What the counter's cards keep when the process ends, and cards of every type in it."""

from __future__ import annotations

import json
import logging
import sys
from pathlib import Path

import pytest

from besnik.sim.control import Control
from besnik.sim.model.isodep_picc import IsoDepPicc
from besnik.sim.model.picc import Picc
from besnik.sim.model.wallet import card_of, count_of
from besnik.sim.remembered import UNSAVED_MAX, Remembered
from support.processes import Processes

SUN = {
    "key": "ana",
    "type": "ntag424",
    "uid": "04DEBEBCFF4C80",
    "address": "https://besnik.example/t?p={picc}&c={mac}",
}


def cards() -> dict[str, Picc]:
    return {"ana": card_of(SUN), "plain": card_of({"uid": "5B3C2A19"})}


def read_once(card: Picc) -> None:
    """Select the NDEF file and read from it, as a reader does."""
    assert isinstance(card, IsoDepPicc)
    for command in ("00A4040007D276000085010100", "00A4000C02E104", "00B0000002"):
        assert (card.app.apdu(bytes.fromhex(command)) or b"")[-2:] == b"\x90\x00"


def test_counters_go_on_where_they_were_or_later(tmp_path: Path) -> None:
    file = tmp_path / "kept.json"
    first = cards()
    kept = Remembered(file, first)
    kept.load()
    kept.save()
    assert not file.exists(), "nothing has been read"
    for _ in range(3):
        read_once(first["ana"])
    kept.save()
    assert json.loads(file.read_text()) == {"ana": 3}
    again = cards()
    Remembered(file, again).load()
    assert count_of(again["ana"]) == 3 + UNSAVED_MAX


@pytest.mark.parametrize("content", ["", "[]", '{"ana": "x", "gone": 4}', '{"ana": -1}'])
def test_file_that_makes_no_sense_is_as_none(tmp_path: Path, content: str) -> None:
    file = tmp_path / "kept.json"
    file.write_text(content)
    loaded = cards()
    Remembered(file, loaded).load()
    assert count_of(loaded["ana"]) == 0


def test_file_that_cannot_be_written_is_reported(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    loaded = cards()
    read_once(loaded["ana"])
    with caplog.at_level(logging.WARNING):
        Remembered(tmp_path / "none" / "kept.json", loaded).save()
    assert "not kept" in caplog.text


async def test_the_counter_process_has_cards_of_all_types_and_keeps_their_counters(
    tmp_path: Path, processes: Processes
) -> None:
    described = [
        {**SUN, "count": 5},
        {"key": "tag", "type": "ntag215", "uid": "04E10CDA993C80"},
        {"key": "bank", "type": "payment", "uid": "5B3C2A19"},
        {"key": "phone", "type": "phone", "uid": None},
        {"key": "hidden", "type": "desfire-ev3", "uid": "04448BD2DB6B80", "random_id": True},
    ]
    (tmp_path / "cards.json").write_text(json.dumps(described))
    (tmp_path / "pins.json").write_text('{"cs": 5, "rst": 22}')
    files = ["--cards", str(tmp_path / "cards.json"), "--pins", str(tmp_path / "pins.json")]
    for count in (5, 5 + UNSAVED_MAX):
        command = [
            sys.executable,
            "-m",
            "besnik.sim.counter",
            "--folder",
            str(tmp_path / "c"),
            *files,
        ]
        counter = processes.start("counter", command)
        counter.wait_for("counter: ready")
        control = await Control.connect(tmp_path / "c/control.sock")
        uids = {card["key"]: card["uid"] for card in await control.cards()}
        assert uids == {
            "ana": "04DEBEBCFF4C80",
            "tag": "04E10CDA993C80",
            "bank": "5B3C2A19",
            "phone": None,
            "hidden": None,
        }
        await control.close()
        assert counter.stop() == 0
        assert json.loads((tmp_path / "cards.kept.json").read_text()) == {"ana": count}
