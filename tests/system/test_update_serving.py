"""``besnik fleet serve`` at a real broker: a release is loaded part by part by who asks for it."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

import pytest

from besnik.fleet import release, signing
from support.broker import RunningBroker
from support.processes import Processes, Running
from support.update_reader import UpdateReader

FILES = {
    "main.py": b"import firmware\n",
    "firmware/app.mpy": bytes(range(256)) * 4,  # a file that ends where a part does
    "firmware/empty.mpy": b"",
    "lib/mfrc522.mpy": bytes(range(256)) * 5 + b"!",
}


@pytest.fixture(scope="module")
def key_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    file = tmp_path_factory.mktemp("key") / "release.key"
    signing.make_key(file)
    return file


@pytest.fixture
def serving(
    state: Path, processes: Processes, broker: RunningBroker, key_file: Path, database_url: str
) -> Running:
    release.public_file(state).write_bytes(key_file.with_suffix(".pub").read_bytes())
    publish(state, key_file)
    settings = state / "besnik.toml"
    settings.write_text(
        f'state = "{state}"\n[broker]\nport = {broker.port}\n[database]\nurl = "{database_url}"\n'
    )
    return processes.start(
        "fleet",
        [sys.executable, "-m", "besnik.cli", "fleet", "serve"],
        environment={"BESNIK_CONFIG": str(settings)},
        ready="fleet: ready",
    )


def publish(state: Path, key_file: Path) -> int:
    folder = release.folder_of(state)
    number = release.next_number(folder)
    key = signing.load_key(key_file)
    release.make(folder, key, FILES, number=number, version=f"1.{number}", board="esp32")
    return number


async def test_a_reader_loads_a_release_as_it_was_signed(
    serving: Running, broker: RunningBroker, state: Path
) -> None:
    async with UpdateReader(broker) as one, UpdateReader(broker, "counter-2") as other:
        signature = await one.part(1, -2, 0)
        assert signature == (release.folder_of(state) / "00001/signature").read_bytes()
        assert await asyncio.gather(one.load(1), other.load(1)) == [FILES, FILES]
    assert serving.stop() == 0


async def test_a_release_that_comes_later_is_given_too_and_one_with_a_fault_never(
    serving: Running, broker: RunningBroker, state: Path, key_file: Path
) -> None:
    publish(state, key_file)
    bad = publish(state, key_file)
    (release.folder_of(state) / f"{bad:05d}/main.py").write_bytes(b"import evil\n")
    serving.wait_for("release 2, version 1.2")
    serving.wait_for("main.py is not what was signed")
    async with UpdateReader(broker) as reader:
        assert await reader.load(2) == FILES
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(3):
                await reader.part(bad, -1, 0)


async def test_it_serves_again_when_the_broker_comes_back(
    serving: Running, broker: RunningBroker
) -> None:
    broker.restart()
    async with UpdateReader(broker) as reader:
        assert await reader.load(1) == FILES
