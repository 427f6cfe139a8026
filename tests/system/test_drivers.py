"""Drivers that others wrote read cards on the chip model behind ``besnik sim serve-spi``."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from besnik.sim.reader import SHIMS
from besnik.unix_port import interpreter
from support.drivers import DriversError, obtain
from support.processes import Processes, Running

HERE = Path(__file__).parent
CLASSIC, LONG = "5B3C2A19", "04A1B2C3D4E580"
CARDS = [
    {"key": "classic", "type": "classic1k", "uid": CLASSIC},
    {"key": "long", "type": "ntag213", "uid": LONG},
    {"key": "longest", "uid": "0411223344556677A8B9"},
]
UIDS = {"classic": CLASSIC, "long": LONG, "longest": "0411223344556677A8B9"}
TIMEOUT_S = 60


def serve(processes: Processes, state: Path, present: str) -> Path:
    """Start serve-spi with one card in the field; return the socket's path."""
    cards = state / "cards.json"
    cards.write_text(json.dumps(CARDS))
    path = state / "spi.sock"
    options = ["--socket", path, "--cards", cards, "--present", present]
    processes.start(
        "serve-spi",
        [sys.executable, "-m", "besnik.cli", "sim", "serve-spi", *options],
        ready="serve-spi: ready: unix",
    )
    return path


def run(command: list[str | Path], environment: dict[str, str]) -> str:
    """Run a driver to its end and return what it printed."""
    done = subprocess.run(
        [str(part) for part in command],
        env=environment,
        capture_output=True,
        text=True,
        timeout=TIMEOUT_S,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="session")
def drivers() -> Path:
    """The folder of the drivers from the package index."""
    try:
        return obtain()
    except DriversError as error:
        pytest.skip(str(error))


@pytest.fixture
def python(environment: dict[str, str], root: Path) -> dict[str, str]:
    """The environment of a driver in Python: Besnik's tests are there, Besnik's library is not."""
    return {**environment, "PYTHONPATH": str(root / "tests")}


@pytest.mark.parametrize("name", ["mfrc522", "mfrc522-python"])
def test_simple_mfrc522_writes_a_card_and_reads_it(
    name: str, drivers: Path, python: dict[str, str], processes: Processes, state: Path
) -> None:
    path = serve(processes, state, "classic")
    script = [sys.executable, HERE / "drivers/mfrc522_text.py", drivers / name, path]
    bcc = f"{0x5B ^ 0x3C ^ 0x2A ^ 0x19:02X}"
    assert json.loads(run([*script, "loyal"], python))["uid"] == CLASSIC + bcc
    assert json.loads(run([*script, ""], python)) == {"uid": CLASSIC + bcc, "text": "loyal"}


@pytest.mark.parametrize("card", ["classic", "long"])
def test_pi_rc522_waits_for_the_interrupt_and_reads(
    card: str, drivers: Path, python: dict[str, str], processes: Processes, state: Path
) -> None:
    path = serve(processes, state, card)
    script = [sys.executable, HERE / "drivers/pi_rc522_card.py", drivers / "pi-rc522", path]
    found: dict[str, Any] = json.loads(run([*script], python))
    assert found["uid"] == UIDS[card]
    assert found.get("block") == ("00" * 16 if card == "classic" else None)


@pytest.mark.parametrize("card", UIDS)
def test_odd_driver_in_c(card: str, processes: Processes, state: Path) -> None:
    compiler = shutil.which("cc") or shutil.which("gcc") or shutil.which("clang")
    if compiler is None:
        pytest.skip("no C compiler here: cc, gcc and clang are not in PATH")
    program = state / "oddreader"
    flags = ["-std=c99", "-D_POSIX_C_SOURCE=200809L", "-Wall", "-Wextra", "-Werror", "-O1"]
    run([compiler, *flags, "-o", program, HERE / "drivers/oddreader.c"], dict(os.environ))
    assert run([program, serve(processes, state, card)], {}) == UIDS[card] + "\n"


@pytest.mark.parametrize("card", UIDS)
def test_old_driver_in_micropython(
    card: str, processes: Processes, state: Path, root: Path
) -> None:
    path = serve(processes, state, card)
    folders = [root / "tests/device/mpy", SHIMS, ".frozen"]
    environment = {
        "MICROPYPATH": ":".join(str(folder) for folder in folders),
        "BESNIK_SIM_SPI": str(path),
    }
    printed = run([interpreter(), HERE / "drivers/old_on_wire.py"], environment)
    assert printed == UIDS[card] + "\n"


def test_our_driver_over_tcp_as_the_document_has_it(
    processes: Processes, state: Path, root: Path, environment: dict[str, str]
) -> None:
    cards = state / "cards.json"
    cards.write_text(json.dumps(CARDS))
    options = ["--tcp", "0", "--cards", cards, "--chip", "0x91"]
    served = processes.start(
        "serve-spi",
        [sys.executable, "-m", "besnik.cli", "sim", "serve-spi", *options],
        ready="serve-spi: ready: tcp 127.0.0.1 ",
    )
    program = state / "client.py"
    program.write_text(example(root / "docs/drivers.md", "python"))
    printed = run([sys.executable, program, port_of(served)], environment)
    assert printed == "VersionReg 0x91\nATQA 0400\n"


def port_of(served: Running) -> str:
    """Return the port that serve-spi chose."""
    return served.log.split("ready: tcp 127.0.0.1 ")[1].split()[0]


def example(document: Path, language: str) -> str:
    """Return the first code block of a language in a document."""
    return document.read_text(encoding="utf-8").split(f"```{language}\n")[1].split("```")[0]
