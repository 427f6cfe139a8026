"""``besnik sim serve-spi``: its wire, byte by byte as docs/drivers.md has it, and what is wrong."""

from __future__ import annotations

import json
import socket
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from besnik.cli import main
from besnik.sim.control import Control
from support.processes import Processes, Running

CARDS = [{"key": "ana", "uid": "5B3C2A19"}, {"key": "eleni", "uid": "04A1B2C3D4E580"}]
NSS_LOW, NSS_HIGH = bytes.fromhex("0202000500"), bytes.fromhex("0202000501")
READ_VERSION = NSS_LOW + bytes.fromhex("010200EE00") + NSS_HIGH

Connect = Callable[[], socket.socket]


@pytest.fixture
def cards(state: Path) -> Path:
    file = state / "cards.json"
    file.write_text(json.dumps(CARDS))
    return file


def serve(processes: Processes, cards: Path, *options: str | Path) -> Running:
    command = [sys.executable, "-m", "besnik.cli", "sim", "serve-spi", "--cards", cards]
    return processes.start("serve-spi", [*command, *options], ready="serve-spi: ready: ")


@pytest.fixture
def connect(state: Path, cards: Path, processes: Processes) -> Iterator[Connect]:
    """Opens connections to a serve-spi at ``state / "spi.sock"``."""
    serve(processes, cards, "--socket", state / "spi.sock", "--control", state / "control.sock")
    opened: list[socket.socket] = []

    def connect() -> socket.socket:
        opened.append(socket.socket(socket.AF_UNIX))
        opened[-1].settimeout(5)
        opened[-1].connect(str(state / "spi.sock"))
        return opened[-1]

    yield connect
    for each in opened:
        each.close()


def ask(wire: socket.socket, sent: bytes, size: int) -> bytes:
    wire.sendall(sent)
    return wire.recv(size, socket.MSG_WAITALL)


def test_bytes_of_the_document(connect: Connect) -> None:
    wire = connect()
    assert ask(wire, READ_VERSION, 2)[1] == 0x92
    reset = NSS_LOW + bytes.fromhex("010200020F") + NSS_HIGH
    assert len(reset) == 15 and len(ask(wire, reset, 2)) == 2
    in_parts = NSS_LOW + bytes.fromhex("010100EE") + bytes.fromhex("01010000") + NSS_HIGH
    assert ask(wire, in_parts, 2)[1] == 0x92
    assert ask(wire, bytes.fromhex("010200EE00"), 2) == b"\xff\xff", "NSS is high"
    assert ask(wire, bytes.fromhex("04010015"), 1) == b"\x01", "IRQ: IRqInv is set after a reset"


@pytest.mark.parametrize(
    ("sent", "why"),
    [
        ("090000", "unknown operation 9"),
        ("02010005", "operation 2 has 2 bytes, not 1"),
        ("040000", "operation 4 has 1 bytes, not 0"),
        ("060600000000000000", "a baudrate of 0"),
        ("0602000000", "operation 6 has 6 bytes, not 2"),
    ],
)
def test_frame_that_is_wrong_ends_that_connection_alone(
    sent: str, why: str, connect: Connect, processes: Processes, state: Path
) -> None:
    bad = connect()
    bad.sendall(bytes.fromhex(sent))
    assert bad.recv(1) == b""
    assert ask(connect(), READ_VERSION, 2)[1] == 0x92
    assert why in next((state / "logs").glob("*-serve-spi.log")).read_text()


def test_driver_that_leaves_in_the_middle_of_a_frame_is_followed_by_the_next(
    connect: Connect,
) -> None:
    first = connect()
    first.sendall(NSS_LOW + b"\x01\xff")
    first.close()
    assert ask(connect(), READ_VERSION, 2)[1] == 0x92


async def test_first_card_is_there_and_the_control_socket_changes_it(
    connect: Connect, state: Path
) -> None:
    async with await Control.connect(state / "control.sock") as control:
        assert (await control.state())["present"] == ["ana"]
        await control.remove("ana")
        await control.present("eleni")
        assert (await control.state())["present"] == ["eleni"]


def test_it_ends_when_it_is_told_and_takes_its_sockets_with_it(
    cards: Path, processes: Processes, state: Path
) -> None:
    served = serve(processes, cards, "--socket", state / "spi.sock", "--chip", "0xB2")
    with socket.socket(socket.AF_UNIX) as wire:
        wire.connect(str(state / "spi.sock"))
        assert ask(wire, READ_VERSION, 2)[1] == 0xB2
        assert served.stop() == 0
    assert not (state / "spi.sock").exists()


def test_several_cards_may_be_there_from_the_start(
    cards: Path, processes: Processes, state: Path
) -> None:
    chosen = ["--present", "eleni", "--present", "ana"]
    serve(processes, cards, "--tcp", "0", *chosen)


@pytest.mark.parametrize(
    ("content", "options", "why"),
    [
        (CARDS, ["--present", "boris"], "--present boris: no such card; {cards} has ana, eleni"),
        ([], [], "{cards}: has no card"),
        ({}, [], "{cards}: must hold a JSON list"),
        ([{"uid": "5B3C2A19"}], [], "{cards}: entry 0 has no key"),
        ([{"key": "ana", "uid": "5B3C"}], [], "card 'ana': "),
    ],
)
def test_what_cannot_be_served_is_named(
    content: object,
    options: list[str],
    why: str,
    state: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    cards = state / "cards.json"
    cards.write_text(json.dumps(content))
    place = ["--socket", str(state / "spi.sock")]
    assert main(["sim", "serve-spi", "--cards", str(cards), *place, *options]) == 1
    assert why.format(cards=cards) in capsys.readouterr().err
    assert not (state / "spi.sock").exists()


@pytest.mark.parametrize("option", ["--socket", "--control"])
def test_file_that_is_no_socket_is_left_alone(
    option: str, cards: Path, state: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    precious = state / "precious"
    precious.write_text("all there is")
    other = ["--tcp", "0"] if option == "--control" else []
    asked = ["sim", "serve-spi", "--cards", str(cards), option, str(precious), *other]
    assert main(asked) == 1
    assert "is there and no socket" in capsys.readouterr().err
    assert precious.read_text() == "all there is"
