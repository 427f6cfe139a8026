"""What a technician's own tools find on the virtual board: the same as on an ESP32."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
import serial

from besnik.sim.board import Parts
from support.hands import Hands
from support.processes import Processes
from support.usb_board import Board


@pytest.fixture
def board(state: Path, processes: Processes) -> Board:
    """A new board, plugged in, that nobody has written to."""
    made = Board(state / "board", processes)
    made.plug_in()
    return made


def test_mpremote_works_on_it_as_on_a_board(board: Board, tmp_path: Path) -> None:
    source = tmp_path / "main.py"
    source.write_text("print('main runs')\n", encoding="utf-8")

    assert board.mpremote("fs", "ls").split() == ["ls", ":"]
    board.mpremote("fs", "cp", str(source), ":main.py")
    assert board.mpremote("fs", "cat", "main.py") == source.read_text(encoding="utf-8")
    # A first command resets softly and leaves main.py out; after a reset it runs.
    assert board.mpremote("exec", "print('main' in __name__, 1 + 1)").strip() == "True 2"
    source.write_text("with open('ran', 'w') as f: f.write('yes')\n", encoding="utf-8")
    board.mpremote("fs", "cp", str(source), ":main.py", "+", "reset", "+", "sleep", "0.5")
    assert board.mpremote("resume", "eval", "open('ran').read()").strip() == "yes"


def test_no_tool_sees_or_changes_a_file_of_the_machine_it_runs_on(
    board: Board, tmp_path: Path
) -> None:
    mine = tmp_path / "mine.txt"
    mine.write_text("mine", encoding="utf-8")

    assert board.mpremote("fs", "ls", ":/").split() == ["ls", ":/"]
    tries = (
        "import os\n"
        f"for path in ({str(mine)!r}, '..{mine}', '/..{mine}'):\n"
        "    for mode in ('r', 'w'):\n"
        "        try:\n"
        "            open(path, mode)\n"
        "            print(path, mode)\n"
        "        except OSError:\n"
        "            pass\n"
        "print(os.getcwd(), os.statvfs('/')[:3])"
    )
    # 512 blocks of 4,096 bytes: the flash.
    assert board.mpremote("exec", tries).strip() == "/ (4096, 4096, 512)"
    board.mpremote("exec", "with open('/kept', 'w') as f: f.write('yes')")
    assert board.mpremote("fs", "ls", ":/").split() == ["ls", ":/", "3", "kept"]
    board.mpremote("fs", "rm", "-r", ":/kept")
    assert mine.read_text(encoding="utf-8") == "mine"


def test_what_is_on_its_flash_outlives_its_power(board: Board) -> None:
    board.mpremote("exec", "with open('kept', 'w') as f: f.write('yes')")

    board.unplug()
    board.plug_in()

    assert board.mpremote("eval", "open('kept').read()").strip() == "yes"


def test_a_program_that_runs_is_interrupted(board: Board) -> None:
    board.mpremote("exec", "with open('main.py', 'w') as f: f.write('while True: pass')", "reset")

    assert board.mpremote("exec", "print(6 * 7)").strip() == "42"


def test_a_program_learns_why_it_was_started(board: Board) -> None:
    assert board.mpremote("eval", "__import__('machine').reset_cause()").strip() == "5"
    board.unplug()
    board.plug_in()
    assert board.mpremote("resume", "eval", "__import__('machine').reset_cause()").strip() == "1"


def test_what_is_typed_while_it_starts_waits_for_it(board: Board) -> None:
    board.unplug()
    board.plug_in()

    with serial.Serial(str(board.parts.port), timeout=20) as port:
        port.write(b"\r\x03\r\x01")
        assert port.read_until(b"raw REPL").endswith(b"raw REPL")


def test_one_that_cannot_be_made_leaves_nothing_running(state: Path) -> None:
    parts = Parts(state / "board")
    (parts.port / "in the way").mkdir(parents=True)
    command = [sys.executable, "-m", "besnik.cli", "sim", "board", parts.folder]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode != 0
    with pytest.raises(OSError, match=r"refused|No such file"):
        Hands(parts.folder / "control.sock").ask("remove", card="card")
