"""Several boards at once, some of them unplugged on the way: ``besnik fleet … --all``."""

from __future__ import annotations

import asyncio
import random
from contextlib import AsyncExitStack
from pathlib import Path

import pytest

from besnik import broker as besnik_broker
from besnik.sim.control import Control
from support.bridge import BridgeRunner
from support.commissioning import Commissioning
from support.next_release import VERSION, make_key, next_application
from support.processes import Processes
from support.secure_broker import SecureBroker
from support.standing import enter_readers
from support.technician import ONCE, Technician
from support.usb_board import Board

BOARDS = 2  # ten of them: tests/bench/making.py


@pytest.fixture
def boards(state: Path, processes: Processes) -> list[Board]:
    made = [Board(state / f"board{number}", processes) for number in range(BOARDS)]
    for board in made:
        board.plug_in()
    return made


@pytest.fixture
def broker(mosquitto: besnik_broker.Mosquitto, state: Path, processes: Processes) -> SecureBroker:
    made = SecureBroker(mosquitto, state, processes)
    made.start()
    return made


@pytest.fixture
def technician(broker: SecureBroker, processes: Processes, boards: list[Board]) -> Technician:
    return Technician(broker, processes, boards[0])


async def test_every_board_becomes_a_reader_of_its_own_also_one_that_was_unplugged_on_the_way(
    technician: Technician,
    boards: list[Board],
    bridges: BridgeRunner,
    database_url: str,
    state: Path,
) -> None:
    enter_readers(database_url, BOARDS)
    bridges.start()
    running = technician.starts("flash", "--all", "counter", "--no-tap", *ONCE, boards=boards)
    gone = boards[-1]
    running.wait_for(f"{gone.parts.port}:   0 %", 120)
    await asyncio.sleep(random.uniform(0, 0.5))
    gone.unplug()
    assert running.wait(120) == 1
    assert f"{BOARDS - 1} of {BOARDS} boards are done" in running.log
    assert f"{gone.parts.port}: FAILED: the board is gone" in running.log

    gone.plug_in()
    running = technician.starts("flash", "--all", boards=boards)
    for number, board in enumerate(boards, 1):
        running.wait_for(f"{board.parts.port}: counter-{number}: hold any card", 120)
    async with AsyncExitStack() as hands:
        for board in boards:
            control = Control.connect(board.parts.folder / "control.sock")
            await (await hands.enter_async_context(await control)).present("card")
        assert running.wait(120) == 0, running.log
    for number in range(1, BOARDS + 1):
        assert f"counter-{number}: tap" in running.log
        label = state / f"readers/counter-{number}/label.svg"
        assert label.exists()
        assert f"counter-{number}: print and stick under the reader: {label}\n" in running.log
    assert "open sesame" not in running.log


@pytest.mark.timeout(600)
def test_boards_are_flashed_provisioned_updated_and_examined_at_once_some_without_power_meanwhile(
    broker: SecureBroker, processes: Processes, boards: list[Board], bridges: BridgeRunner,
    database_url: str, state: Path, root: Path, tmp_path: Path,
) -> None:  # fmt: skip
    enter_readers(database_url, BOARDS)
    make_key(state)
    bridges.start()
    technician = Technician(broker, processes, boards[0], database_url)
    table = Commissioning(technician, boards, database_url, random.Random())

    assert table.flash(0) == []
    assert table.provision(1) == []
    assert table.update(next_application(root, tmp_path), state, 1) == []
    assert table.examine_at_cable(0) == []
    assert table.examine_on_line(0) == []

    table.answer_cards()
    assert len(table.standing()) == BOARDS
    for standing in table.standing().values():
        assert (standing.state, standing.firmware) == ("online", VERSION)
    assert table.pulled
