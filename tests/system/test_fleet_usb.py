"""The serial ports of boards: which are theirs, and one that goes and comes with its board."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest
from serial.tools import list_ports
from serial.tools.list_ports_common import ListPortInfo

from besnik.fleet import usb
from besnik.fleet.provision import listening
from support.processes import Processes
from support.usb_board import Board


def test_a_port_that_is_gone_while_its_board_starts_anew_is_waited_for(
    state: Path, processes: Processes
) -> None:
    board = Board(state / "board", processes)
    board.plug_in()
    # As a chip with USB of its own has it.
    port = state / "port"
    port.symlink_to(board.parts.port)

    def comes_back() -> None:
        port.symlink_to(board.parts.port)

    for _ in range(2):
        with usb.opened(str(port)) as opened:
            chip = opened.chip()
            opened.reset()
        port.unlink()
        threading.Timer(1.5, comes_back).start()
        with listening(str(port)):
            pass
        with usb.opened(str(port)) as opened:
            assert opened.chip() == chip


def test_a_scanner_is_no_board(monkeypatch: pytest.MonkeyPatch) -> None:
    def port(device: str, vendor: int | None) -> ListPortInfo:
        made = ListPortInfo(device)
        made.vid = vendor
        return made

    there = [
        port("/dev/ttyS0", None),
        port("/dev/ttyACM0", 0x05E0),  # Zebra, which makes scanners
        port("/dev/ttyACM1", 0x303A),
        port("/dev/ttyUSB0", 0x1A86),
    ]
    monkeypatch.setattr(list_ports, "comports", lambda: there)
    assert usb.ports() == ["/dev/ttyACM1", "/dev/ttyUSB0"]
