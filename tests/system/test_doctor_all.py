"""``besnik fleet doctor`` on several boards at once: what is wrong on which, in one table."""

from __future__ import annotations

import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from support.hands import Hands
from support.processes import Processes
from support.usb_board import Board


@pytest.fixture
def boards(state: Path, processes: Processes) -> Iterator[list[Board]]:
    """A bare board that is well, one whose RC522 does not answer, and one that is unplugged."""
    made = [Board(state / name, processes) for name in ("well", "wires", "gone")]
    for board in made:
        board.plug_in()
        hands = Hands(board.parts.folder / "control.sock")
        hands.ask("present", card="card")
        if board is made[1]:
            hands.ask("fault", bus="00")
    made[2].unplug()
    yield made


def doctor(state: Path, environment: dict[str, str], *where: str | Path) -> tuple[int, str]:
    """Return the exit status and what was printed."""
    settings = state / "besnik.toml"
    settings.write_text(f'state = "{state}"\n', encoding="utf-8")
    done = subprocess.run(
        [sys.executable, "-m", "besnik.cli", "fleet", "doctor", *map(str, where)],
        env={**environment, "BESNIK_CONFIG": str(settings)},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=120,
        check=False,
    )
    return done.returncode, done.stdout


def test_boards_are_examined_at_once_and_each_has_its_own_rows(
    boards: list[Board], state: Path, environment: dict[str, str]
) -> None:
    well, wires, gone = (board.parts.port for board in boards)
    status, said = doctor(state, environment, *(board.parts.port for board in boards), "nobody")

    assert status == 2, said
    progress, _, table = said.partition("\n\n")
    assert f"{well}: Lay a card on the reader" in progress
    assert f"{well}: antenna      ok" in progress
    assert f"{wires}: wiring       WRONG" in progress
    assert "dB  ███" not in said, "ten drawings would drown the lines"
    rows = table.splitlines()

    def row_of(name: object) -> str:
        return next(row for row in rows if row.startswith(f"{name} "))

    # What all of them lack is said once.
    assert rows[0].startswith("all of them")
    assert "settings     WRONG  config.json: not there" in rows[0]
    assert table.count("config.json: not there") == 1
    assert row_of(well).split(maxsplit=1)[1] == (
        "nothing else is wrong; not looked at: lights, Wi-Fi, clock, certificate, broker, bridge,"
        " CRM"
    )
    mine = row_of(wires)
    assert "wiring       WRONG  the RC522 is silent: every answer is 00" in mine
    assert "do:    " in rows[rows.index(mine) + 1]
    assert any(
        row.startswith(f"{gone} ") and "not examined: the board is gone" in row for row in rows
    )
    assert any(row.startswith("nobody ") and "keeps no settings of 'nobody'" in row for row in rows)
    assert rows[-1] == "0 of 4 are well"


def test_it_can_be_stopped_while_it_waits_for_cards(
    boards: list[Board], processes: Processes, state: Path
) -> None:
    Hands(boards[0].parts.folder / "control.sock").ask("remove", card="card")
    settings = state / "besnik.toml"
    settings.write_text(f'state = "{state}"\n', encoding="utf-8")
    ports = [str(board.parts.port) for board in boards[:2]]
    running = processes.start(
        "doctor",
        [sys.executable, "-m", "besnik.cli", "fleet", "doctor", *ports],
        environment={"BESNIK_CONFIG": str(settings)},
        ready=f"{ports[0]}: Lay a card on the reader and leave it there (within 45 s)",
    )
    running.process.send_signal(signal.SIGINT)
    assert running.wait(25) == 130
    assert "doctor: stopped" in running.log and "Traceback" not in running.log
