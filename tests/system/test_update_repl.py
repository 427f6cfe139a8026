"""A technician's tools reach a reader whatever its application and its watchdog do."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from besnik.sim import reader
from support.processes import Processes, wait_until
from support.usb_board import Board

# Nobody listens there: a reader at work needs no broker.
SETTINGS = {
    "shop": "corner",
    "reader": "counter-1",
    "wifi": {"ssid": "demo"},
    "broker": {"host": "127.0.0.1", "port": 1, "plain": True, "password": "none"},
}
ONE_HOUR = "3600 000"


@pytest.fixture
def board(state: Path, processes: Processes, root: Path) -> Board:
    """A reader on a cable, still without power."""
    made = Board(state / "board", processes)
    reader.stage(made.parts.flash, SETTINGS, root)
    return made


def answers(board: Board) -> bool:
    return board.mpremote("exec", "print(6 * 7)").strip() == "42"


def bad_boots(board: Board) -> int:
    kept = json.loads(board.parts.nvs.read_text(encoding="utf-8"))["besnik"]
    return int(kept["i:slot"]) >> 1 & 7


def watchdog(board: Board) -> Path:
    return board.parts.nvs.with_name(board.parts.nvs.name + ".wdt")


def test_a_reader_at_work_gives_way_and_its_watchdog_waits_an_hour(board: Board) -> None:
    board.plug_in()
    wait_until(watchdog(board).exists, "the reader is at work")
    assert watchdog(board).read_text(encoding="utf-8").strip() == "60 000"

    assert answers(board) and answers(board)

    assert watchdog(board).read_text(encoding="utf-8").strip() == ONE_HOUR
    assert bad_boots(board) == 1, "what a technician does at the cable is no bad boot"


@pytest.mark.parametrize(
    "program",
    ["import nowhere\n", "import machine\nmachine.WDT(timeout=400)\nwhile True: pass\n"],
    ids=["fails", "hangs"],
)
def test_an_application_that_does_not_start_leaves_the_cable_open(
    board: Board, program: str
) -> None:
    (board.parts.flash / "a/main.py").write_text(program, encoding="utf-8")
    board.plug_in()

    assert answers(board)


def test_after_six_bad_boots_the_reader_waits_on_its_cable(board: Board) -> None:
    board.parts.folder.mkdir(exist_ok=True)
    kept = json.dumps({"besnik": {"i:slot": 6 << 1}})
    board.parts.nvs.write_text(kept, encoding="utf-8")
    board.plug_in()

    # It has no bad boots any more, so that whoever starts it once more gives it another chance.
    wait_until(lambda: not bad_boots(board), "boot.py has chosen")
    assert answers(board)
    assert not watchdog(board).exists() or ONE_HOUR in watchdog(board).read_text(encoding="utf-8")
