"""The reader's process: a staged flash runs boot.py and main.py in MicroPython, resets included."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import pytest

from besnik.sim import reader
from besnik.sim.control import Control
from besnik.sim.model.board import PINS
from support.processes import Processes, Running

BOOT = """
print("boot", __name__)
booted = 1
"""
# In place of the choice of a slot, which tests/system/test_update_boot.py is about.
START = """
import sys
sys.path[:0] = ["a", "a/lib"]
execfile("a/main.py")
"""
# Reads the version register, switches a light, counts boots and restarts itself.
MAIN = """
import json, sys, time
import esp32, machine
from firmware import part
import device_library
spi = machine.SPI(2, baudrate=1000000)
cs = machine.Pin(5, machine.Pin.OUT, value=1)
machine.Pin(26, machine.Pin.OUT)(1)
cs(0)
spi.write(b"\\xee")
version = spi.read(1)[0]
cs(1)
nvs = esp32.NVS("test")
try:
    boots = nvs.get_i32("boots") + 1
except OSError:
    boots = 1
nvs.set_i32("boots", boots)
nvs.commit()
config = json.load(open("config.json"))
print("main", booted, hex(version), boots, machine.reset_cause(), part.NAME, config["shop"])
print("path", sys.path[2] == "", sys.path[4:])
if boots == 1:
    machine.reset()
if boots == 2:
    machine.WDT(timeout=200)
    while True:
        pass
print("end")
time.sleep(0.2)
"""


@pytest.fixture
def source(state: Path, root: Path) -> Path:
    """A source tree with a firmware of its own and the cache of the real one."""
    tree = state / "source"
    for name, text in {
        "boot.py": BOOT,
        "start.py": START,
        "main.py": MAIN,
        "firmware/part.py": 'NAME = "part"\n',
        "lib/device_library.py": "import umqtt.simple\n",
    }.items():
        (tree / name).parent.mkdir(parents=True, exist_ok=True)
        (tree / name).write_text(text, encoding="utf-8")
    (tree / ".besnik").mkdir()
    (tree / ".besnik/cache").symlink_to(root / ".besnik/cache")
    return tree


@pytest.fixture
def counter(state: Path, processes: Processes) -> Path:
    """The folder of a running counter's sockets."""
    (state / "cards.json").write_text("[]")
    (state / "pins.json").write_text(json.dumps(PINS))
    command = [sys.executable, "-m", "besnik.sim.counter", "--folder", state / "c"]
    files = ["--cards", state / "cards.json", "--pins", state / "pins.json"]
    processes.start("counter", [*command, *files], ready="counter: ready")
    return state / "c"


def start(processes: Processes, state: Path, counter: Path, **how: Any) -> Running:
    command, environment = reader.command(
        state / "flash", spi_socket=counter / "spi.sock", nvs=state / "nvs.json", **how
    )
    return processes.start("reader", command, environment=environment, folder=state / "flash")


async def test_reader_boots_resets_and_boots_again(
    state: Path, source: Path, counter: Path, processes: Processes
) -> None:
    reader.stage(state / "flash", {"shop": "corner"}, source)
    first = start(processes, state, counter)
    assert first.wait() == -9, "machine.reset() cannot be caught"
    assert "boot __main__\nmain 1 0x92 1 1 part corner\npath True ['.frozen', 'lib']" in first.log
    second = start(processes, state, counter)
    assert second.wait() == -9, "the watchdog bites a program that hangs"
    assert "main 1 0x92 2 2 part corner" in second.log
    third = start(processes, state, counter)
    async with await Control.connect(counter / "control.sock") as control:
        third.wait_for("end")
        assert (await control.state())["pins"]["led_green"] == 1
        assert third.wait() == 0
    assert "main 1 0x92 3 3 part corner" in third.log


def test_error_in_boot_is_printed_and_main_runs(
    state: Path, source: Path, counter: Path, processes: Processes
) -> None:
    (source / "boot.py").write_text("booted = 0\nraise ValueError('no boot')\n")
    (source / "main.py").write_text("print('main', booted)\nraise OSError(5)\n")
    reader.stage(state / "flash", {}, source)
    running = start(processes, state, counter)
    assert running.wait() == 1
    assert "ValueError: no boot" in running.log and "main 0" in running.log
    assert 'File "a/main.py", line 2' in running.log and "OSError" in running.log


def test_heap_is_limited_as_asked(
    state: Path, source: Path, counter: Path, processes: Processes
) -> None:
    (source / "main.py").write_text(
        "import gc\nprint(gc.mem_free() + gc.mem_alloc() < 100 * 1024)\n"
    )
    reader.stage(state / "flash", {}, source)
    running = start(processes, state, counter, heap="100K")
    assert running.wait() == 0 and "True" in running.log


def test_the_watchdog_of_a_reader_that_is_gone_does_not_hold_the_counter(
    state: Path, source: Path, counter: Path, processes: Processes
) -> None:
    (source / "main.py").write_text(
        "import machine\n"
        "machine.Pin(25, machine.Pin.IN).value()\n"
        "machine.WDT(timeout=60000)\n"
        "machine.reset()\n"
    )
    reader.stage(state / "flash", {}, source)
    for _ in range(2):
        assert start(processes, state, counter).wait(timeout_s=5) == -9


IMAGE_MAIN = """
import os, sys
from firmware import part
for _ in range(4):
    try:
        with open("count", "rb") as file:
            count = int(file.read())
    except OSError:
        count = 0
    with open("count", "wb") as file:
        file.write(str(count + 1))
    print("count", count + 1)
print("at", os.getcwd(), part.NAME, os.listdir("a/lib"))
"""


def test_reader_on_a_flash_image_keeps_it_and_dies_where_its_power_is_cut(
    state: Path, source: Path, counter: Path, processes: Processes
) -> None:
    (source / "main.py").write_text(IMAGE_MAIN)
    reader.stage(state / "flash", {}, source)
    lasting = {"image": state / "flash.img"}
    whole = start(processes, state, counter, **lasting)
    assert whole.wait() == 0
    assert "count 4\nat / part ['device_library.mpy']" in whole.log
    (source / "firmware/part.py").write_text("NAME = 'other'\n")
    reader.stage(state / "flash", {}, source)
    # Each count is one program operation.
    cut = start(processes, state, counter, **lasting, cut=reader.PowerCut(3))
    assert cut.wait() == -9
    assert cut.log.rstrip().endswith("count 6")
    torn = start(processes, state, counter, **lasting, cut=reader.PowerCut(1, is_torn=True))
    assert torn.wait() == -9
    again = start(processes, state, counter, **lasting)
    assert again.wait() == 0
    assert "count 7\n" in again.log and "at / other" in again.log


def test_staging_again_renews_the_program_and_keeps_the_outbox(state: Path, source: Path) -> None:
    reader.stage(state / "flash", {"shop": "corner"}, source)
    outbox = state / "flash/outbox"
    outbox.mkdir()
    (outbox / "00001-000001.tap").write_bytes(b"{}")
    (source / "firmware/part.py").rename(source / "firmware/other.py")
    reader.stage(state / "flash", {"shop": "market"}, source)
    flash = state / "flash"
    assert sorted(str(f.relative_to(flash)) for f in flash.rglob("*.*")) == [
        "a/firmware/other.mpy",
        "a/lib/device_library.mpy",
        "a/main.py",
        "boot.py",
        "config.json",
        "main.py",
        "outbox/00001-000001.tap",
    ]
    assert json.loads((flash / "config.json").read_text())["shop"] == "market"


def test_file_that_mpy_cross_refuses_is_named(state: Path, source: Path) -> None:
    (source / "firmware/part.py").write_text("match 1:\n    case 1: pass\n")
    with pytest.raises(reader.StageError, match=r"firmware/part\.py: "):
        reader.stage(state / "flash", {}, source)
