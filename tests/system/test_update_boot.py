"""boot.py and start.py choose what runs: the slot in use, one on trial, the other, none."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from besnik.sim import reader
from besnik.sim.model.board import PINS
from support.processes import Processes

# Programs of a slot.
HEALTHY = "import sys, esp32, machine\nprint('runs', sys.path[0], machine.reset_cause())\n"
SETTLES = HEALTHY + "from firmware import board\nboard.settle()\n"
BAD = HEALTHY + "machine.reset()\n"
LOOPS = HEALTHY + "machine.WDT(timeout=300)\nwhile True: pass\n"
RAISES = HEALTHY + "import nowhere\n"
SAFE = "safe mode: six starts have failed"
PROVISION = "def serve(board, why): print('safe mode:', why)\n"

Start = Callable[..., str]


@pytest.fixture
def flash(state: Path, root: Path) -> Path:
    """The flash of a reader whose slot a is healthy, with the real boot.py and start.py."""
    tree = state / "source"
    texts = {"main.py": HEALTHY, "firmware/provision.py": PROVISION}
    texts |= {name: (root / name).read_text() for name in ("boot.py", "start.py")}
    texts["firmware/board.py"] = (root / "firmware/board.py").read_text()
    for name, text in texts.items():
        (tree / name).parent.mkdir(parents=True, exist_ok=True)
        (tree / name).write_text(text)
    (tree / ".besnik").mkdir()
    (tree / ".besnik/cache").symlink_to(root / ".besnik/cache")
    reader.stage(state / "flash", {}, tree)
    return state / "flash"


@pytest.fixture
def start(state: Path, flash: Path, processes: Processes) -> Start:
    """Switches the reader on, and returns what it said until it ended."""
    (state / "cards.json").write_text("[]")
    (state / "pins.json").write_text(json.dumps(PINS))
    command = [sys.executable, "-m", "besnik.sim.counter", "--folder", state / "c"]
    files = ["--cards", state / "cards.json", "--pins", state / "pins.json"]
    processes.start("counter", [*command, *files], ready="counter: ready")
    argv, environment = reader.command(
        flash, spi_socket=state / "c/spi.sock", nvs=state / "nvs.json"
    )

    def started() -> str:
        running = processes.start("reader", argv, environment=environment, folder=flash)
        running.wait(20)
        return running.log

    return started


def other_slot(flash: Path, program: str = HEALTHY) -> Path:
    (flash / "b/firmware").mkdir(parents=True)
    for file in (flash / "a/firmware").iterdir():
        (flash / "b/firmware" / file.name).write_bytes(file.read_bytes())
    (flash / "b/main.py").write_text(program)
    return flash / "b/main.py"


def nvs(state: Path) -> dict[str, int]:
    kept: dict[str, Any] = json.loads((state / "nvs.json").read_text())["besnik"]
    return {name.removeprefix("i:"): value for name, value in kept.items()}


def remember(state: Path, **numbers: int) -> None:
    kept = {f"i:{name}": value for name, value in numbers.items()}
    (state / "nvs.json").write_text(json.dumps({"besnik": kept}))


def test_every_start_is_counted(state: Path, start: Start) -> None:
    start()
    boots = nvs(state)["boots"]
    start()
    assert nvs(state)["boots"] == boots + 1


def test_three_bad_boots_change_the_slot_for_good_and_six_end_in_safe_mode(
    state: Path, flash: Path, start: Start
) -> None:
    (flash / "a/main.py").write_text(BAD)
    other = other_slot(flash, BAD)
    remember(state, slot=7 << 4)
    said = [start() for _ in range(7)]
    assert ["runs a" in each for each in said] == [True] * 3 + [False] * 4
    assert ["runs b" in each for each in said] == [False] * 3 + [True] * 3 + [False]
    assert nvs(state)["back"] == 7, "the host learns that it does not run"
    assert SAFE in said[6]
    # Whoever starts it once more gives it another chance.
    other.write_text(SETTLES)
    assert "runs b" in start()
    assert nvs(state)["slot"] == 7 << 4 | 1, "the number is that of the newest release still"


def test_a_boot_that_went_well_for_a_minute_was_none_of_the_bad(
    state: Path, flash: Path, start: Start
) -> None:
    other_slot(flash)
    for _ in range(2):
        (flash / "a/main.py").write_text(BAD)
        assert "runs a" in start() and "runs a" in start()
        (flash / "a/main.py").write_text(SETTLES)
        assert "runs a" in start()
        assert not nvs(state)["slot"]


@pytest.mark.parametrize("program", [LOOPS, RAISES], ids=["hangs", "raises"])
def test_a_program_that_hangs_or_fails_is_started_anew(
    state: Path, flash: Path, start: Start, program: str
) -> None:
    (flash / "a/main.py").write_text(program)
    start()
    (flash / "a/main.py").write_text(HEALTHY)
    assert "runs a " + {LOOPS: "3", RAISES: "2"}[program] in start()


def test_with_one_slot_only_there_is_no_other_to_fall_back_to(flash: Path, start: Start) -> None:
    (flash / "a/main.py").write_text(BAD)
    assert ["runs a" in start() for _ in range(6)] == [True] * 6
    assert SAFE in start()


def test_a_reader_that_nobody_finished_does_nothing_and_counts_nothing(
    state: Path, flash: Path, start: Start
) -> None:
    (flash / "a/main.py").unlink()
    assert [start() for _ in range(8)] == [""] * 8
    (flash / "a/main.py").write_text(HEALTHY)
    assert "runs a" in start()


def test_a_reader_flashed_anew_runs_what_was_flashed(
    state: Path, flash: Path, start: Start
) -> None:
    remember(state, slot=7 << 4 | 1)
    assert "runs a" in start()
    assert nvs(state)["slot"] == 7 << 4 | 1 << 1


def test_a_release_is_tried_once(state: Path, flash: Path, start: Start) -> None:
    other = other_slot(flash, BAD)
    remember(state, slot=6 << 4 | 2 << 1, trial=7 << 1 | 1)
    assert "runs b" in start()
    assert nvs(state)["trial"] == -(7 << 1 | 1)
    assert "runs a" in start()
    assert nvs(state)["back"] == 7 and not nvs(state)["trial"]
    assert nvs(state)["slot"] == 6 << 4 | 1 << 1
    assert not other.exists(), "nobody falls back to it"


def test_a_power_cut_is_nothing_against_a_release_but_many_are(
    state: Path, flash: Path, start: Start
) -> None:
    other_slot(flash)
    remember(state, slot=6 << 4, trial=7 << 1 | 1)
    assert ["runs b 1" in start() for _ in range(5)] == [True] * 4 + [False]
    assert nvs(state)["back"] == 7 and nvs(state)["slot"] == 6 << 4 | 1 << 1


def test_a_release_that_was_kept_stays_wherever_the_power_went(
    state: Path, flash: Path, start: Start
) -> None:
    other_slot(flash)
    remember(state, slot=7 << 4 | 1, trial=-(7 << 1 | 1))
    assert "runs b" in start() and "runs b" in start()
    assert not nvs(state)["trial"] and "back" not in nvs(state)


def test_a_trial_of_nothing_is_given_up(state: Path, start: Start) -> None:
    remember(state, slot=6 << 4, trial=7 << 1 | 1)
    assert "runs a" in start()
    assert nvs(state)["back"] == 7
