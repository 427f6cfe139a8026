"""Device tests run in MicroPython: what fails, hangs or dies there is told."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from support.device import Device, DeviceError, Settings

TESTS = """
import os
import asyncio

def test_passes():
    open("note.txt", "w").close()
    assert "note.txt" in os.listdir()

async def test_async_passes():
    await asyncio.sleep_ms(1)

def test_fails():
    print("so far so good")
    assert 1 + 1 == 3, "arithmetic"

async def test_async_fails():
    await asyncio.sleep_ms(1)
    raise ValueError("async")

def test_hangs():
    print("round and round")
    while True:
        pass

def test_dies():
    os.system("kill -KILL $PPID")

def test_eats_memory():
    bytearray(10000000)
"""


@pytest.fixture
def device(state: Path) -> Iterator[Device]:
    file = state / "test_sample.py"
    file.write_text(TESTS, encoding="utf-8")
    loaded = Device(file, Settings(heap="256K", timeout_s=2))
    yield loaded
    loaded.close()


def failure(device: Device, name: str, folder: Path) -> str:
    with pytest.raises(DeviceError) as failed:
        device.run(name, folder)
    return str(failed.value)


def test_functions_run_one_after_the_other_in_the_folder_given(device: Device, state: Path) -> None:
    device.run("test_passes", state)
    device.run("test_async_passes", state)
    assert (state / "note.txt").exists() and device.alive


def test_failure_shows_the_traceback_and_what_was_printed(device: Device, state: Path) -> None:
    text = failure(device, "test_fails", state)
    assert 'test_sample.py", line 14, in test_fails' in text
    assert "AssertionError: arithmetic" in text and "so far so good" in text
    assert "ValueError: async" in failure(device, "test_async_fails", state)
    assert "MemoryError" in failure(device, "test_eats_memory", state)
    device.run("test_passes", state)


def test_hang_ends_by_timeout(device: Device, state: Path) -> None:
    text = failure(device, "test_hangs", state)
    assert "no answer within 2 s" in text and "round and round" in text
    assert not device.alive


def test_death_is_told(device: Device, state: Path) -> None:
    assert "ended with code -9" in failure(device, "test_dies", state)
    assert not device.alive


def test_file_that_cannot_be_loaded_says_why(state: Path) -> None:
    file = state / "test_broken.py"
    file.write_text("import no_such_module\n", encoding="utf-8")
    with pytest.raises(DeviceError, match="no module named 'no_such_module'"):
        Device(file, Settings())
