"""``lib/`` alone: installed on a virtual board by mpremote, every example of its README run."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from support.device import run_script
from support.examples import Example, examples
from support.processes import Processes
from support.usb_board import Board

ROOT = Path(__file__).resolve().parents[2]
LIBRARY = ROOT / "lib"
EXAMPLES = examples(LIBRARY / "README.md")
UID = "Ten lines to a UID"
CPYTHON = "Versions"
# Which card is held to the reader under which heading.
NTAG = {"key": "ntag", "type": "ntag213", "uid": "04A1B2C3D4E580"}
CARDS: dict[str, dict[str, Any]] = {
    UID: NTAG,
    "Type 2: NTAG21x, MIFARE Ultralight EV1": NTAG,
    "Type 4: NDEF, and the address of an NTAG 424 DNA with SUN": {
        "key": "sun",
        "type": "ntag424",
        "uid": "04DEBEBCFF4C80",
        "address": "https://shop.example/t?uid={uid}&ctr={ctr}&cmac={mac}",
    },
    "ISO-DEP: an APDU to any ISO/IEC 14443-4 card": {
        "key": "desfire",
        "type": "desfire-ev3",
        "uid": "04915CBACF6180",
    },
    "MIFARE Classic": {"key": "classic", "type": "classic1k", "uid": "5B3C2A19"},
    "Is the chip what it says?": NTAG,
    CPYTHON: NTAG,
}
TIMEOUT_S = 60

Mpremote = Callable[..., str]


@pytest.fixture
def chip(processes: Processes, state: Path) -> Callable[[dict[str, Any]], Path]:
    """Starts the chip model with one card in its field; returns its socket."""

    def start(card: dict[str, Any]) -> Path:
        cards = state / "cards.json"
        cards.write_text(json.dumps([card]))
        path = state / "spi.sock"
        command = [sys.executable, "-m", "besnik.cli", "sim", "serve-spi"]
        processes.start(
            "serve-spi", [*command, "--socket", path, "--cards", cards], ready="serve-spi: ready"
        )
        return path

    return start


@pytest.fixture
def board(processes: Processes, state: Path) -> Mpremote:
    """A virtual board with an empty flash; runs mpremote on it and returns what that printed."""
    made = Board(state / "board", processes)
    made.plug_in("--spi", state / "spi.sock")
    return made.mpremote


def lines(example: Example) -> list[str]:
    return [line for line in example.code.splitlines() if line.strip()]


def named(heading: str) -> Example:
    return next(example for example in EXAMPLES if example.heading == heading)


def test_library_installs_and_the_ten_lines_read_a_card(
    chip: Callable[[dict[str, Any]], Path], board: Mpremote, state: Path
) -> None:
    chip(CARDS[UID])
    said = board("mip", "install", str(LIBRARY / "package.json"))
    assert "Done" in said
    board("fs", "cp", "-r", ":lib", state)
    installed = sorted(path.name for path in (state / "lib").iterdir())
    assert installed == [*sorted(package_files())]
    for name in installed:
        assert (state / "lib" / name).read_bytes() == (LIBRARY / name).read_bytes()
    example = named(UID)
    assert len(lines(example)) == 10
    (state / "ten.py").write_text(example.code)
    assert board("run", state / "ten.py") == example.printed
    # What is installed stays over a reset.
    board("reset")
    assert board("run", state / "ten.py") == example.printed


@pytest.mark.parametrize(
    "example",
    [example for example in EXAMPLES if example.heading not in (UID, CPYTHON)],
    ids=lambda example: example.heading,
)
def test_example_of_the_readme(
    example: Example, chip: Callable[[dict[str, Any]], Path], state: Path, processes: Processes
) -> None:
    path = chip(CARDS[example.heading])
    assert len(lines(example)) <= 10
    reader = "\n".join(lines(named(UID))[:-1]) + "\n"
    (state / "reader.py").write_text(reader)
    (state / "example.py").write_text(example.code)
    assert run_on_micropython(state, path) == example.printed


def test_example_for_cpython(chip: Callable[[dict[str, Any]], Path], state: Path) -> None:
    path = chip(CARDS[CPYTHON])
    (state / "example.py").write_text(named(CPYTHON).code)
    start = "import runpy, sys; from support import raspberry; raspberry.install(sys.argv[1]); "
    start += "runpy.run_path(sys.argv[2])"
    environment = {**os.environ, "PYTHONPATH": f"{ROOT / 'tests'}:{LIBRARY}"}
    done = subprocess.run(
        [sys.executable, "-c", start, str(path), str(state / "example.py")],
        env=environment,
        capture_output=True,
        text=True,
        timeout=TIMEOUT_S,
        check=False,
    )
    assert done.stdout == named(CPYTHON).printed, done.stderr


def run_on_micropython(folder: Path, spi: Path) -> str:
    """Run ``example.py`` of the folder with the library and the shims; return its output."""
    from besnik.sim.reader import SHIMS
    from besnik.unix_port import interpreter

    environment = {
        "MICROPYPATH": f"{folder}:{LIBRARY}:{SHIMS}:.frozen",
        "BESNIK_SIM_SPI": str(spi),
    }
    done = subprocess.run(
        [interpreter(), folder / "example.py"],
        env=environment,
        capture_output=True,
        text=True,
        timeout=TIMEOUT_S,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def package_files() -> list[str]:
    package = json.loads((LIBRARY / "package.json").read_text())
    assert all(target == source for target, source in package["urls"])
    return [target for target, _ in package["urls"]]


def test_package_and_manifest_have_every_file_of_the_library() -> None:
    here = {path.name for path in LIBRARY.glob("*.py")} - {"manifest.py"}
    assert set(package_files()) == here
    frozen: list[str] = []
    about: dict[str, str] = {}
    words = {"module": frozen.append, "metadata": about.update}
    exec(compile((LIBRARY / "manifest.py").read_text(), "manifest.py", "exec"), words)
    assert set(frozen) == here
    package = json.loads((LIBRARY / "package.json").read_text())
    assert about["version"] == package["version"] and package["deps"] == []


def test_readme_tells_what_the_bench_measures() -> None:
    found = json.loads(run_script(ROOT / "tests/bench/mpy/frames.py"))
    figures = [found[name]["frames"] for name in ("empty", "uid4", "uid7", "uid10")]
    row = "| this library | " + " | ".join(map(str, figures)) + " |"
    assert row in (LIBRARY / "README.md").read_text()
