"""``besnik fleet flash --all``: several boards at once, some of them unplugged on the way."""

from __future__ import annotations

import asyncio
import random
import time
from contextlib import AsyncExitStack, closing
from pathlib import Path

import pytest

from besnik import broker as besnik_broker
from besnik.sim.control import Control
from support.bridge import BridgeRunner
from support.processes import Processes
from support.secure_broker import SecureBroker
from support.store import open_raw
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


def stand_in_the_shop(database_url: str) -> None:
    """The owner has said that the shop has as many readers."""
    with closing(open_raw(database_url)) as database:
        for number in range(2, BOARDS + 1):
            database.execute(
                "INSERT INTO store_reader (shop_id, till_id, slug, name) SELECT shop_id, till_id,"
                f" 'counter-{number}', '{number}' FROM store_reader WHERE slug = 'counter-1'"
            )


async def test_every_board_becomes_a_reader_of_its_own_also_one_that_was_unplugged_on_the_way(
    technician: Technician,
    boards: list[Board],
    bridges: BridgeRunner,
    database_url: str,
    state: Path,
) -> None:
    stand_in_the_shop(database_url)
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
        assert (state / f"readers/counter-{number}/label.svg").exists()
    assert "open sesame" not in running.log


def test_all_readers_that_wait_are_provisioned_also_one_that_was_unplugged_on_the_way(
    technician: Technician, boards: list[Board]
) -> None:
    status, said = technician.runs("flash", "--all", "--blank", boards=boards)
    assert status == 0, said
    assert f"{BOARDS} of {BOARDS} boards are done" in said
    gone = boards[-1]

    running = technician.starts("provision", "--all", "counter", "--no-tap", *ONCE, boards=boards)
    running.wait_for(f"{gone.parts.port}:   0 %", 120)
    time.sleep(random.uniform(0, 0.1))
    gone.unplug()
    assert running.wait(120) == 1
    assert f"{gone.parts.port}: FAILED" in running.log

    # Whenever that was, it has all of it or waits for all of it.
    gone.plug_in()
    status, said = technician.runs("provision", "--all", "--no-tap", boards=[gone])
    if status:
        assert "One that has some says nothing" in said
        status, said = technician.runs("flash", "--all", "--no-tap", boards=[gone])
    assert status == 0, said
    assert f"counter-{BOARDS}: is on line" in said
