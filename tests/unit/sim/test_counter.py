"""The counter process: its two sockets, a device that comes and goes, requests that cannot be."""

from __future__ import annotations

import asyncio
import json
import socket
import struct
import sys
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from besnik.sim.control import Control, ControlError, CounterGoneError, Event
from besnik.sim.model.board import NO_TIME, REFUSES, STRENGTH
from support.processes import Processes, Running

PINS = {"cs": 5, "rst": 22, "led_green": 26, "led_red": 25, "buzzer": 27}
CARDS = [
    {"key": "ana", "label": "Ana's card", "uid": "5B3C2A19", "member": "ana"},
    {"key": "eleni", "label": "Κάρτα", "uid": "04A1B2C3D4E580"},
    {"key": "phone", "label": "A phone", "uid": None},
]


class WireDevice:
    """The device's end of spi.sock, spoken byte by byte."""

    def __init__(self, folder: Path) -> None:
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self._socket.settimeout(5)
        self._socket.connect(str(folder / "spi.sock"))

    def send(self, operation: int, payload: bytes = b"") -> None:
        self._socket.sendall(struct.pack("<BH", operation, len(payload)) + payload)

    def ask(self, operation: int, payload: bytes = b"", length: int = 1) -> bytes:
        self.send(operation, payload)
        answer = b""
        while len(answer) < length:
            answer += self._socket.recv(length - len(answer))
        return answer

    def pin(self, gpio: int, value: int) -> None:
        self.send(2, bytes((gpio, value)))

    def spi(self, data: bytes) -> bytes:
        self.pin(PINS["cs"], 0)
        answer = self.ask(1, data, len(data))
        self.pin(PINS["cs"], 1)
        return answer

    def read(self, register: int) -> int:
        return self.spi(bytes((0x80 | register << 1, 0)))[1]

    def write(self, register: int, *values: int) -> None:
        self.spi(bytes((register << 1, *values)))

    def started(self) -> WireDevice:
        """Wait for the chip's oscillator, as a driver does."""
        for _ in range(1000):
            if not self.read(0x01) & 0x10:
                return self
        raise AssertionError("the chip does not start")

    def is_hung_up(self) -> bool:
        return self._socket.recv(1) == b""

    def close(self) -> None:
        self._socket.close()


def start(processes: Processes, folder: Path, **files: object) -> Running:
    """Start a counter; ``files`` replaces what its cards and pins files hold."""
    command: list[str | Path] = [sys.executable, "-m", "besnik.sim.counter", "--folder", folder]
    for name, content in {"cards": CARDS, "pins": PINS, **files}.items():
        file = folder.parent / f"{name}.json"
        file.write_text(json.dumps(content), encoding="utf-8")
        command += [f"--{name}", file]
    return processes.start("counter", command)


@pytest.fixture
def folder(state: Path, processes: Processes) -> Path:
    """The folder of a running counter's sockets."""
    start(processes, state / "counter").wait_for("counter: ready")
    return state / "counter"


@pytest.fixture
async def control(folder: Path) -> AsyncIterator[Control]:
    async with await Control.connect(folder / "control.sock") as client:
        yield client


@pytest.fixture
def device(folder: Path) -> Iterator[WireDevice]:
    wired = WireDevice(folder).started()
    yield wired
    wired.close()


async def until(control: Control, key: str, value: object) -> None:
    """Wait for the other thread to have seen it too."""
    for _ in range(200):
        if (await control.state())[key] == value:
            return
        await asyncio.sleep(0.01)
    raise AssertionError(f"{key} never became {value!r}")


async def test_cards_are_listed_presented_and_taken_away(control: Control) -> None:
    assert await control.cards() == [
        {"key": "ana", "label": "Ana's card", "uid": "5B3C2A19", "present": False},
        {"key": "eleni", "label": "Κάρτα", "uid": "04A1B2C3D4E580", "present": False},
        {"key": "phone", "label": "A phone", "uid": None, "present": False},
    ]
    await control.present("eleni")
    await control.present("eleni")
    assert (await control.state())["present"] == ["eleni"]
    await control.remove("eleni")
    assert (await control.state())["present"] == []


async def test_every_watcher_is_told_what_happens(folder: Path, device: WireDevice) -> None:
    async def watched(client: Control) -> list[Event]:
        events: list[Event] = []
        async for event in client.watch():
            events.append(event)
            if event.get("card") == "ana" and not event["present"]:
                break
        return events

    clients = [await Control.connect(folder / "control.sock") for _ in range(2)]
    watches = [asyncio.create_task(watched(client)) for client in clients]
    await asyncio.sleep(0.05)
    device.pin(PINS["led_green"], 1)
    device.pin(PINS["led_green"], 1)
    device.send(3, struct.pack("<BIH", PINS["buzzer"], 2800, 32768))
    device.send(3, struct.pack("<BIH", PINS["buzzer"], 2800, 0))
    assert device.ask(5) == bytes((STRENGTH,))
    await clients[0].present("ana")
    await clients[0].remove("ana")
    for events in await asyncio.gather(*watches):
        told = [{k: v for k, v in event.items() if k != "t_us"} for event in events[1:]]
        assert events[0]["ev"] == "state" and events[0]["state"]["connected"]
        assert told == [
            {"ev": "pin", "role": "led_green", "v": 1},
            {"ev": "tone", "hz": 2800},
            {"ev": "tone", "hz": 0},
            {"ev": "card", "card": "ana", "present": True},
            {"ev": "card", "card": "ana", "present": False},
        ]
        times = [event["t_us"] for event in events]
        assert times == sorted(times)
    for client in clients:
        await client.close()


async def test_device_reads_the_chip_and_finds_the_card(
    control: Control, device: WireDevice
) -> None:
    before = (await control.state())["spi_frames"]
    device.write(0x11, 0x3D)
    device.write(0x14, 0x83)
    await control.present("ana")
    await asyncio.sleep(0.01)
    device.write(0x09, 0x26)
    device.write(0x0D, 0x07)
    device.write(0x01, 0x0C)
    device.write(0x0D, 0x87)
    await asyncio.sleep(0.01)
    assert device.read(0x04) & 0x20
    assert device.spi(b"\x92\x92\x00")[1:] == b"\x04\x00"
    state = await control.state()
    assert state["field"] and state["rf_frames"] == 1 and state["spi_frames"] - before == 8


async def test_device_that_dies_leaves_dark_pins_and_is_followed_by_the_next(
    control: Control, folder: Path
) -> None:
    first = WireDevice(folder).started()
    first.pin(PINS["led_red"], 1)
    first.write(0x26, 0x70)
    assert first.read(0x26) == 0x70
    first.close()
    await until(control, "connected", False)
    assert (await control.state())["pins"]["led_red"] == 0
    second = WireDevice(folder).started()
    assert second.read(0x26) == 0x48, "the chip was off with its device"
    second.write(0x26, 0x70)
    await control.fault(keep_power=True)
    second.close()
    await until(control, "connected", False)
    third = WireDevice(folder).started()
    assert third.read(0x26) == 0x70, "told to, the chip keeps its power"
    third.close()


async def test_faults_are_made_and_mended(control: Control, device: WireDevice) -> None:
    for bus, seen in (("00", 0x00), ("FF", 0xFF), (None, 0x92)):
        await control.fault(bus=bus)
        assert device.read(0x37) == seen
    device.write(0x26, 0x70)
    await control.fault(brownout=True)
    assert device.read(0x26) == 0x48
    await control.fault(network="refuses")
    assert device.ask(5) == bytes((REFUSES,))
    await control.fault(network="ok", time_server=False)
    assert device.ask(5) == bytes((STRENGTH | NO_TIME,))
    await control.fault(time_server=True)
    await control.wifi(False)
    assert device.ask(5) == b"\x00"


@pytest.mark.parametrize(
    ("op", "arguments", "said"),
    [
        ("present", {"card": "nobody"}, "card 'nobody': must be one of ana, eleni, phone"),
        ("present", {"card": ["ana"]}, "card ['ana']: must be one of"),
        ("present", {}, "missing 1 required"),
        ("dance", {}, "op 'dance': must be one of cards, present"),
        ("wifi", {"up": "no"}, "must be true or false"),
        ("fault", {"bus": "7F"}, 'must be "00", "FF" or null'),
        ("fault", {"noise_per_mille": 1001}, "from 0 to 1000"),
        ("fault", {"unplugged": ["cs"]}, "must be a list of rst, irq"),
        ("fault", {"network": "slow"}, "must be one of ok, weak, no_address, refuses, gone"),
        ("fault", {"loss_db": "all"}, "from 0 to 99"),
        ("fault", {"hammer": 1}, "hammer"),
    ],
)
async def test_request_that_cannot_be_done_says_why(
    control: Control, op: str, arguments: dict[str, object], said: str
) -> None:
    with pytest.raises(ControlError) as refusal:
        await control.request(op, **arguments)
    assert said in str(refusal.value)
    assert await control.cards()


async def test_garbage_on_the_control_socket_is_answered_and_survived(
    folder: Path, control: Control
) -> None:
    reader, writer = await asyncio.open_unix_connection(str(folder / "control.sock"))
    for line in (b"{", b"[1]", b'{"op":7,"n":3}', b"\xff\xfe"):
        writer.write(line + b"\n")
        answer = json.loads(await reader.readline())
        assert answer["ok"] is False and answer["error"]
    writer.write(b"x" * 200_000 + b"\n")
    assert await reader.read() == b"", "a line without end closes the connection"
    writer.close()
    assert await control.cards()


def test_garbage_on_the_spi_socket_ends_that_device_only(folder: Path) -> None:
    broken = WireDevice(folder)
    broken.send(99)
    assert broken.is_hung_up()
    broken.close()
    good = WireDevice(folder).started()
    assert good.read(0x37) == 0x92
    good.close()


async def test_client_learns_that_the_counter_has_gone(state: Path, processes: Processes) -> None:
    counter = start(processes, state / "counter")
    counter.wait_for("counter: ready")
    control = await Control.connect(state / "counter/control.sock")
    watch = control.watch()
    assert (await anext(watch))["ev"] == "state"
    assert counter.stop() == 0
    assert not list((state / "counter").iterdir()), "its sockets are gone with it"
    with pytest.raises(StopAsyncIteration):
        await anext(watch)
    with pytest.raises(CounterGoneError):
        await control.cards()
    await control.close()
    with pytest.raises(CounterGoneError, match="no virtual counter at"):
        await Control.connect(state / "counter/control.sock")


@pytest.mark.parametrize(
    ("files", "said"),
    [
        ({"pins": {"cs": 5}}, "rst is missing"),
        ({"pins": {"cs": "5", "rst": 22}}, "cs = '5': must be a GPIO number"),
        ({"pins": [5]}, "must hold a JSON dict"),
        ({"cards": [{"uid": "00"}]}, "entry 0 has no key"),
        ({"cards": [{"key": "a", "uid": "0011"}]}, "a UID has 4, 7 or 10 bytes, not 2"),
        ({"cards": [{"key": "a", "uid": "zz"}]}, "card 'a': uid 'zz'"),
    ],
)
def test_files_it_cannot_use_are_named(
    state: Path, processes: Processes, files: dict[str, object], said: str
) -> None:
    counter = start(processes, state / "counter", **files)
    assert counter.wait() == 1
    assert said in counter.log and "Traceback" not in counter.log


def test_folder_with_a_path_too_long_for_a_socket_is_named(
    state: Path, processes: Processes
) -> None:
    counter = start(processes, state / ("x" * 100))
    assert counter.wait() == 1
    assert "longer than the 107 bytes of a socket's path" in counter.log
