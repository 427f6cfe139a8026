"""A reader takes a release over the air, tries it, and keeps it or goes back."""

from __future__ import annotations

import asyncio
import json
import shutil
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa

from besnik.fleet import release, signing
from besnik.sim.control import Control
from besnik.sim.reader import PowerCut
from support.bridge import BridgeRunner
from support.broker import RunningBroker
from support.counter import Counter
from support.probe import Probe
from support.processes import Running, wait_until
from support.updates import Host, unlike

# What a broken line makes of a part: its piece and offset, and the part.
Spoil = Callable[[tuple[int, int], bytes], bytes]
# By which the heaps of two readers that do the same differ: a session has a few objects at times.
_NOTHING_BYTES = 256


@pytest.fixture(scope="session")
def key() -> rsa.RSAPrivateKey:
    """What signs releases here."""
    return rsa.generate_private_key(signing.EXPONENT, signing.BYTES * 8)


@pytest.fixture(scope="session")
def application(root: Path) -> dict[str, bytes]:
    """The files of the firmware as it is."""
    return release.application(root)


def changed(root: Path, tree: Path, name: str, before: str, after: str) -> dict[str, bytes]:
    """Return the files of this firmware with one constant changed."""
    for folder in ("firmware", "lib"):
        shutil.copytree(root / folder, tree / folder)
    shutil.copyfile(root / "main.py", tree / "main.py")
    text = (tree / name).read_text(encoding="utf-8")
    assert before in text
    (tree / name).write_text(text.replace(before, after), encoding="utf-8")
    return release.application(tree)


@pytest.fixture(scope="session")
def hasty(root: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    """The same firmware, which has no five minutes to wait for its health."""
    tree = tmp_path_factory.mktemp("hasty")
    return changed(root, tree, "firmware/trial.py", "const(300000)", "const(1500)")


@pytest.fixture(scope="session")
def restless(root: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    """The same firmware, to which a second without cards is a quiet moment."""
    tree = tmp_path_factory.mktemp("restless")
    return changed(root, tree, "firmware/quiet.py", "const(60000)", "const(1000)")


@pytest.fixture(scope="session")
def impatient(root: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    """The same firmware, which gives a bridge half a second to answer, and not a minute."""
    tree = tmp_path_factory.mktemp("impatient")
    return changed(root, tree, "firmware/trial.py", "const(60000)", "const(500)")


@pytest.fixture
async def host(
    broker: RunningBroker, counter: Counter, key: rsa.RSAPrivateKey, state: Path
) -> AsyncIterator[Host]:
    """A host whose key the reader knows."""
    (counter.flash / "cert").mkdir(exist_ok=True)
    (counter.flash / "cert/release.pub").write_bytes(signing.public_half(key))
    made = Host(broker, key, state)
    await made.start()
    yield made
    await made.end()


def nvs(state: Path) -> dict[str, int]:
    """What the reader keeps in its NVS."""
    kept = json.loads((state / "nvs.json").read_text())["besnik"]
    return {name.removeprefix("i:"): value for name, value in kept.items()}


def waiting(counter: Counter) -> list[Path]:
    """Return the taps that wait on the reader's flash."""
    return [path for path in (counter.flash / "outbox").rglob("*") if path.is_file()]


async def restarts(reader: Running, counter: Counter) -> Running:
    """Wait until the reader starts anew by itself, and do what the chip does then."""
    assert await asyncio.to_thread(reader.wait, 30) == -9, reader.log
    return counter.start_reader()


async def updated(counter: Counter, host: Host, number: int, reader: Running) -> Running:
    """Order a release and see it kept; return the reader that runs it."""
    host.order(number)
    await host.hears("ready", number)
    reader = await restarts(reader, counter)
    await host.hears("kept", number)
    return reader


@pytest.fixture
async def reader(counter: Counter, host: Host) -> Running:
    """A reader on line."""
    started = counter.start_reader()
    await host.until(lambda: host.births == 1)
    return started


async def test_releases_are_loaded_tried_and_kept_one_slot_after_the_other(
    counter: Counter, host: Host, application: dict[str, bytes], state: Path, reader: Running
) -> None:
    # A file of another release does not stay.
    old = counter.flash / "b/lib/old.mpy"
    old.parent.mkdir(parents=True)
    old.write_bytes(b"old")
    host.released(7, application)
    reader = await updated(counter, host, 7, reader)
    assert nvs(state)["slot"] == 7 << 4 | 1 and not nvs(state)["trial"]
    assert not old.exists() and not list(counter.flash.rglob("*.new"))
    # Told again, it says what it runs.
    host.order(7)
    await host.hears("kept", 7)
    host.released(8, unlike(application, 8))
    await updated(counter, host, 8, reader)
    assert nvs(state)["slot"] == 8 << 4


async def test_a_release_that_fails_is_given_up_for_the_one_before(
    counter: Counter, host: Host, application: dict[str, bytes], state: Path, reader: Running
) -> None:
    host.released(7, {**application, "main.py": b"import machine\nmachine.reset()\n"})
    host.order(7)
    await host.hears("ready", 7)
    reader = await restarts(reader, counter)
    await restarts(reader, counter)
    assert (await host.hears("rolled_back", 7)).why == "restarted"
    # What is told once is not told again, and the next release is taken.
    await asyncio.to_thread(wait_until, lambda: not nvs(state)["back"], "the host knows")
    host.released(8, application)
    host.order(8)
    await host.hears("ready", 8)


async def test_a_release_that_was_kept_and_fails_later_is_given_up_and_said(
    counter: Counter, host: Host, application: dict[str, bytes], state: Path, reader: Running
) -> None:
    host.released(7, application)
    reader = await updated(counter, host, 7, reader)
    await asyncio.to_thread(wait_until, lambda: not nvs(state)["trial"], "it is kept")
    (counter.flash / "b/main.py").write_text("import machine\nmachine.reset()\n")
    reader.kill()
    reader = counter.start_reader()
    for _ in range(3):
        reader = await restarts(reader, counter)
    assert (await host.hears("rolled_back", 7)).why == "restarted"
    assert nvs(state)["slot"] >> 4 == 7 and not nvs(state)["slot"] & 1
    await asyncio.to_thread(wait_until, lambda: not nvs(state)["back"], "the host knows")
    # Told again, it does not say that it runs it.
    host.order(7)
    await host.hears("loading", 7)


@pytest.mark.parametrize("missing", ["broker", "rc522", "verdict"])
async def test_a_release_that_is_not_healthy_in_time_is_given_up(
    counter: Counter, broker: RunningBroker, host: Host, hasty: dict[str, bytes], reader: Running,
    state: Path, missing: str,
) -> None:  # fmt: skip
    host.released(7, hasty)
    host.confirms = missing != "verdict"
    host.order(7)
    await host.hears("ready", 7)
    assert await asyncio.to_thread(reader.wait, 30) == -9
    assert not nvs(state)["slot"], "a start that is asked for is none of the bad boots"
    if missing == "broker":
        broker.stop()
    async with await Control.connect(counter.control_socket) as control:
        await control.fault(bus="FF" if missing == "rc522" else None)
    await restarts(counter.start_reader(), counter)
    if missing == "broker":
        broker.start()
    assert (await host.hears("rolled_back", 7)).why == missing
    # Of another that is given up later it is not said.
    await asyncio.to_thread(wait_until, lambda: not nvs(state)["back"], "the host knows")
    assert not nvs(state)["why"]


async def test_a_release_with_which_no_tap_is_answered_is_given_up(
    bridges: BridgeRunner, counter: Counter, host: Host, impatient: dict[str, bytes],
    reader: Running, state: Path,
) -> None:  # fmt: skip
    host.released(7, impatient)
    reader = await updated(counter, host, 7, reader)
    await asyncio.to_thread(wait_until, lambda: not nvs(state)["trial"], "it is kept")
    # A bridge that was there and is silent: to the reader, a tap that is lost on its way.
    async with await Control.connect(counter.control_socket) as control:
        await control.present("ana")
        await asyncio.to_thread(wait_until, lambda: waiting(counter), "there is a tap")
        await control.remove("ana")
    await restarts(reader, counter)
    assert (await host.hears("rolled_back", 7)).why == "verdict"
    assert not nvs(state)["slot"] & 1

    # A release is not kept while taps wait that a bridge could answer.
    host.said.clear()
    host.released(8, impatient)
    host.order(8)
    await host.hears("ready", 8)
    reader.wait()
    reader = counter.start_reader()
    await host.hears("trying", 8)
    await asyncio.sleep(2)
    assert nvs(state)["trial"] < 0
    bridges.start()
    await host.hears("kept", 8)


async def test_a_release_that_is_not_what_was_signed_is_refused_with_the_reason(
    counter: Counter, host: Host, application: dict[str, bytes], state: Path, reader: Running
) -> None:
    stranger = rsa.generate_private_key(signing.EXPONENT, signing.BYTES * 8)
    host.released(3, application, key=stranger)
    host.released(4, application)
    host.released(5, application)
    host.released(6, application)
    host.released(7, application)
    host.released(8, application, board="rp2")
    spoils: dict[int, tuple[str, Spoil]] = {
        3: ("signature", lambda _, part: part),
        4: ("signature", lambda at, part: flipped(part) if at == (release.MANIFEST, 256) else part),
        5: ("signature", lambda at, part: part[:-1] if at[0] == release.SIGNATURE else part),
        6: ("truncated", lambda at, part: part[:100] if at == (4, 256) else part),
        7: ("hash", lambda at, part: flipped(part) if at == (4, 256) else part),
        8: ("board", lambda _, part: part),
    }
    (counter.flash / "b").mkdir()
    (counter.flash / "b/main.py").write_text("# the release before")
    honest = host.part
    for number, (why, spoil) in spoils.items():

        def spoilt(number: int, piece: int, offset: int, spoil: Spoil = spoil) -> bytes | None:
            part = honest(number, piece, offset)
            return part if part is None else spoil((piece, offset), part)

        host.part = spoilt
        host.order(number)
        assert (await host.hears("refused", number)).why == why
        assert (counter.flash / "b/main.py").exists(), "it could not go back"
    assert not nvs(state).get("trial") and reader.alive


async def test_what_an_update_leaves_in_memory_goes_in_a_quiet_moment(
    bridges: BridgeRunner, counter: Counter, host: Host, restless: dict[str, bytes]
) -> None:
    bridges.start()
    counter.set_up("120K")  # for the probe
    with Probe() as probe:

        async def starts() -> Running:
            probe.forget()
            births = host.births
            started = counter.start_reader(probe.command)
            await host.until(lambda: host.births > births)
            return started

        async def goes(reader: Running) -> None:
            assert await asyncio.to_thread(reader.wait, 30) == -9, reader.log

        def is_as_before() -> bool:
            return abs(probe.heap_free() - before) <= _NOTHING_BYTES

        reader = await starts()
        before = probe.heap_free()
        host.released(7, restless)
        host.order(7)
        await host.hears("ready", 7)
        await goes(reader)
        async with await Control.connect(counter.control_socket) as control:
            await control.present("ana")
            reader = await starts()
            await host.hears("kept", 7)
            await asyncio.sleep(2.5)
            assert reader.alive, "a card is lying there"
            await control.remove("ana")
        await goes(reader)
        reader = await starts()
        await asyncio.to_thread(wait_until, is_as_before, "the heap is what it was", 30)
        # The same after a refusal; but what was ordered meanwhile is done first.
        host.order(6)
        assert (await host.hears("refused", 6)).why == "number"
        assert before - probe.heap_free() > _NOTHING_BYTES
        host.order(5)
        assert (await host.hears("refused", 5)).why == "number"
        await goes(reader)
        await starts()
        await asyncio.to_thread(wait_until, is_as_before, "the heap is what it was", 30)


async def test_an_order_that_is_late_lower_or_one_too_many_is_refused(
    counter: Counter, host: Host, application: dict[str, bytes], state: Path
) -> None:
    (state / "nvs.json").write_text(json.dumps({"besnik": {"i:slot": 7 << 4}}))
    reader = counter.start_reader()
    await host.until(lambda: host.births == 1)
    host.released(6, application)
    host.released(8, application)
    host.order(6)
    assert (await host.hears("refused", 6)).why == "number"
    host.order(8, until_s=1_700_000_000)
    assert (await host.hears("refused", 8)).why == "expired"
    host.part = lambda *_: None
    host.order(8)
    await host.hears("loading", 8)
    host.order(9)
    assert (await host.hears("refused", 9)).why == "busy"
    host.order(8)
    await host.hears("loading", 8)
    assert reader.alive


async def test_what_was_loaded_before_the_power_or_the_line_went_is_not_loaded_again(
    counter: Counter, broker: RunningBroker, host: Host, application: dict[str, bytes],
    reader: Running,
) -> None:  # fmt: skip
    host.released(7, application)
    honest, asked = host.part, []

    def noted(*what: int) -> bytes | None:
        asked.append(what)
        return honest(*what)

    host.part = noted
    host.order(7)
    await host.until(lambda: len(asked) > 60)
    broker.restart()
    await host.until(lambda: len(asked) > 90)
    reader.kill()
    loaded = [what[1] for what in asked]
    asked.clear()
    counter.start_reader()
    await host.until(lambda: host.births == 3)
    host.order(7)
    await host.hears("ready", 7)
    pieces = [what[1] for what in asked]
    assert set(pieces) & set(loaded[3:]) <= {release.MANIFEST, loaded[-1], loaded[-2]}
    assert max(pieces) == len(application) - 1


async def test_a_reader_whose_power_goes_while_it_updates_runs_what_it_ran_and_goes_on(
    counter: Counter, host: Host, application: dict[str, bytes], state: Path
) -> None:
    image = state / "flash.img"
    # Into an empty slot, then beside a release.
    for number, operation in ((7, 300), (8, 400)):
        host.released(number, unlike(application, number))
        births = host.births
        cut = PowerCut(operation, is_torn=True)
        reader = counter.start_reader(image=image, cut=cut)
        await host.until(lambda births=births: host.births > births)
        # It is on the image: from here on it changes there only.
        shutil.rmtree(counter.flash)
        counter.flash.mkdir()
        host.order(number)
        assert await asyncio.to_thread(reader.wait, 30) == -9, reader.log
        births = host.births
        reader = counter.start_reader(image=image)
        await host.until(lambda births=births: host.births > births)
        assert nvs(state)["slot"] >> 4 == number - 1 or number == 7
        host.order(number)
        await host.hears("ready", number)
        assert await asyncio.to_thread(reader.wait, 30) == -9, reader.log
        reader = counter.start_reader(image=image)
        await host.hears("kept", number)
        reader.kill()


def flipped(part: bytes) -> bytes:
    """Return the part with one bit changed."""
    return bytes((part[0] ^ 1,)) + part[1:]
