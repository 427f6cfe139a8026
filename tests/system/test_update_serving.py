"""``besnik fleet serve`` at a real broker: a release is loaded part by part by who asks for it."""

from __future__ import annotations

import asyncio
import datetime as dt
import shutil
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from besnik.fleet import release, signing
from besnik.store.turn import Turn
from support.broker import RunningBroker
from support.counter import Counter
from support.orm import models_on
from support.processes import Processes, Running, wait_until
from support.store import execute, rows, settings_for, without_table
from support.update_reader import UpdateReader

FILES = {
    "main.py": b"import firmware\n",
    "firmware/app.mpy": bytes(range(256)) * 4,  # a file that ends where a part does
    "firmware/empty.mpy": b"",
    "lib/mfrc522.mpy": bytes(range(256)) * 5 + b"!",
}

FLEET = [sys.executable, "-m", "besnik.cli", "fleet"]
SERVE = [*FLEET, "serve"]


@pytest.fixture(scope="module")
def key_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    file = tmp_path_factory.mktemp("key") / "release.key"
    signing.make_key(file)
    return file


@pytest.fixture
def settings(
    state: Path, broker: RunningBroker, key_file: Path, database_url: str
) -> dict[str, str]:
    """The environment of a shop with two readers, whose host knows the public half of the key."""
    release.public_file(state).write_bytes(key_file.with_suffix(".pub").read_bytes())
    execute(
        database_url,
        "INSERT INTO store_reader (shop_id, till_id, slug, name) "
        "SELECT shop_id, till_id, 'counter-2', 'Second' FROM store_reader WHERE slug = 'counter-1'",
    )
    publish(state, key_file)
    file = state / "besnik.toml"
    file.write_text(
        f'state = "{state}"\n[broker]\nport = {broker.port}\n[database]\nurl = "{database_url}"\n'
    )
    return {"BESNIK_CONFIG": str(file)}


@pytest.fixture
def serving(processes: Processes, settings: dict[str, str]) -> Running:
    return processes.start(
        "fleet",
        SERVE,
        environment=settings,
        ready="fleet: ready",
    )


def publish(state: Path, key_file: Path, files: dict[str, bytes] = FILES) -> int:
    folder = release.folder_of(state)
    number = release.next_number(folder)
    key = signing.load_key(key_file)
    release.make(folder, key, files, number=number, version=f"1.{number}", board="esp32")
    return number


async def test_a_reader_loads_a_release_as_it_was_signed(
    serving: Running, broker: RunningBroker, state: Path
) -> None:
    async with UpdateReader(broker) as one, UpdateReader(broker, "counter-2") as other:
        signature = await one.piece(1, -2)
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


def test_it_warns_of_a_key_that_signs_releases_on_the_host(
    processes: Processes, settings: dict[str, str], state: Path, key_file: Path
) -> None:
    copied = state / "readers/release.key"
    copied.parent.mkdir(exist_ok=True)
    shutil.copyfile(key_file, copied)
    serving = processes.start("fleet", SERVE, environment=settings, ready="fleet: ready")
    serving.wait_for("release 1, version 1.1")
    serving.stop()
    said = serving.log.splitlines()
    assert any(line.startswith(f"fleet: {copied} is a key that signs") for line in said)
    # In words of its own: what another program's set-up, or gmqtt, would say is not among them.
    assert [line for line in said if not line.startswith("fleet: ")] == []
    assert "SUBACK" not in serving.log and "[" not in serving.log


async def test_it_serves_again_when_the_broker_comes_back(
    serving: Running, broker: RunningBroker
) -> None:
    broker.restart()
    async with UpdateReader(broker) as reader:
        assert await reader.load(1) == FILES


async def until(condition: Callable[[], bool], what: str) -> None:
    await asyncio.to_thread(wait_until, condition, what, 20)


async def registered(database_url: str) -> None:
    query = "SELECT 1 FROM store_release"
    await until(lambda: bool(rows(database_url, query)), "the release is known")


async def ended(database_url: str, state: str, why: str = "") -> None:
    query = "SELECT state, why FROM store_rollout"
    await until(lambda: rows(database_url, query) == [(state, why)], f"the roll-out is {state}")


def states(database_url: str) -> dict[str, str]:
    found = rows(
        database_url,
        "SELECT slug, state FROM store_rolloutreader part "
        "JOIN store_reader reader ON reader.id = part.reader_id",
    )
    return dict(found)  # type: ignore[arg-type]  # pairs of texts


async def begin(database_url: str, goal: str, first: str = "counter-1") -> None:
    """Begin to roll release 1 out, with no pause between the stages."""

    def work() -> None:
        from besnik.store import rollouts
        from besnik.store.models import Reader, Release

        with models_on(database_url):
            release, reader = Release.objects.get(number=1), Reader.objects.get(slug=first)
            rollouts.begin(release, reader, goal, now=dt.datetime.now(dt.UTC))

    await registered(database_url)
    await asyncio.to_thread(work)


async def take(reader: UpdateReader, *, keeps: bool = True) -> None:
    """Do as a reader does from the order to its decision."""
    order = await reader.order()
    number = order["n"]
    assert "ok" not in order
    reader.report(number, "loading")
    assert await reader.load(number) == FILES
    reader.report(number, "ready", percent=100)
    await reader.stop()
    await reader.start("1.1")
    if not keeps:
        reader.report(number, "rolled_back", "rc522")
        return
    reader.report(number, "trying")
    assert (await reader.order())["ok"] is True
    reader.report(number, "kept")


async def test_a_release_goes_to_one_reader_then_to_its_shop(
    serving: Running, broker: RunningBroker, database_url: str
) -> None:
    async with UpdateReader(broker) as one, UpdateReader(broker, "counter-2") as other:
        await begin(database_url, "shop", first="counter-2")
        await take(other)
        assert one.orders.empty()
        await take(one)
        await ended(database_url, "done")
        assert states(database_url) == {"counter-1": "kept", "counter-2": "kept"}


async def test_readers_that_were_on_line_before_the_server_are_told(
    settings: dict[str, str], processes: Processes, broker: RunningBroker, database_url: str
) -> None:
    async with UpdateReader(broker) as reader:
        await asyncio.to_thread(processes.start, "fleet", SERVE, environment=settings)
        await begin(database_url, "reader")
        assert (await reader.order())["n"] == 1


async def test_when_the_first_reader_goes_back_no_other_is_told(
    serving: Running, broker: RunningBroker, database_url: str
) -> None:
    async with UpdateReader(broker) as one, UpdateReader(broker, "counter-2") as other:
        await begin(database_url, "all")
        await take(one, keeps=False)
        await ended(database_url, "stopped", "rolled_back")
        await asyncio.sleep(1.5)  # a round more
        assert other.orders.empty()


async def test_what_is_said_while_the_database_is_away_counts_when_it_is_back(
    serving: Running, broker: RunningBroker, database_url: str
) -> None:
    async with UpdateReader(broker) as reader:
        await begin(database_url, "reader")
        assert (await reader.order())["n"] == 1
        with without_table(database_url, "store_rolloutreader"):
            await asyncio.to_thread(serving.wait_for, "the database cannot be used")
            reader.report(1, "loading")
            assert await reader.load(1) == FILES
            reader.report(1, "trying")
            assert (await reader.order())["ok"] is True
            reader.report(1, "kept")
        await ended(database_url, "done")
        await asyncio.to_thread(serving.wait_for, "the database is back")


async def test_two_servers_do_not_tell_a_reader_twice_and_the_second_takes_over(
    serving: Running, processes: Processes, settings: dict[str, str], broker: RunningBroker,
    database_url: str,
) -> None:  # fmt: skip
    second = processes.start("second", SERVE, environment=settings)
    await asyncio.to_thread(second.wait_for, "another besnik fleet serve")
    async with UpdateReader(broker) as one, UpdateReader(broker, "counter-2") as other:
        await begin(database_url, "shop")
        await take(one)
        await other.order()
        assert "fleet: ready" not in second.log
        await asyncio.sleep(1.5)  # a round more
        assert one.orders.empty() and other.orders.empty()
        serving.kill()
        await asyncio.to_thread(second.wait_for, "fleet: ready")
        other.report(1, "kept")
        await ended(database_url, "done")


@pytest.mark.postgres  # an SQLite file's lock is the process's own
async def test_a_server_that_lost_its_turn_with_its_connection_waits_for_the_next(
    serving: Running, broker: RunningBroker, database_url: str
) -> None:
    other = Turn(settings_for(database_url), "fleet")

    def cut() -> None:
        execute(database_url, "SELECT pg_terminate_backend(pid) FROM pg_locks"
                " WHERE locktype = 'advisory' AND granted AND database ="
                " (SELECT oid FROM pg_database WHERE datname = current_database())")  # fmt: skip
        wait_until(other.take, "the turn is free")

    try:
        await asyncio.to_thread(cut)
        await asyncio.to_thread(serving.wait_for, "another besnik fleet serve")
    finally:
        other.close()
    async with UpdateReader(broker) as one:
        await begin(database_url, "reader")
        await take(one)
        await ended(database_url, "done")


async def test_the_real_reader_is_updated_by_one_command(
    serving: Running, counter: Counter, database_url: str, state: Path,
    key_file: Path, root: Path, processes: Processes, settings: dict[str, str],
) -> None:  # fmt: skip
    (counter.flash / "cert").mkdir(exist_ok=True)
    shutil.copy(key_file.with_suffix(".pub"), counter.flash / "cert/release.pub")
    publish(state, key_file, release.application(root))
    query = "SELECT number FROM store_release ORDER BY number"
    await until(lambda: rows(database_url, query) == [(1,), (2,)], "both releases are known")
    reader = counter.start_reader()
    # It is told as soon as it is on line.
    command = processes.start("update", [*FLEET, "update", "counter-1"], environment=settings)
    await asyncio.to_thread(command.wait_for, "release 2 (1.2): first to counter-1")
    assert await asyncio.to_thread(reader.wait, 60) == -9, reader.log  # it starts anew
    counter.start_reader()
    await ended(database_url, "done")
    assert states(database_url) == {"counter-1": "kept"}
    assert (counter.flash / "b/manifest").read_text().splitlines()[1] == "number 2"


async def test_a_broker_that_does_not_know_the_server_is_to_be_restarted(
    processes: Processes, settings: dict[str, str], state: Path
) -> None:
    (state / "broker/passwords.json").write_text('{"fleet": "another"}')
    serving = processes.start("fleet", SERVE, environment=settings)
    await asyncio.to_thread(serving.wait_for, "restart besnik broker, which learns its password")
