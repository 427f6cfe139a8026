"""``besnik fleet doctor`` as it is typed: a finished reader, a real bridge, the shop's records."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from besnik import broker as besnik_broker
from besnik.fleet import cert, settings
from besnik.fleet.usb import opened
from support.bridge import BridgeRunner
from support.hands import Hands
from support.processes import Processes, Running, wait_until
from support.secure_broker import SecureBroker
from support.store import connect_crm, execute
from support.usb_board import Board

READER = "counter-1"


@pytest.fixture
def broker(mosquitto: besnik_broker.Mosquitto, state: Path, processes: Processes) -> SecureBroker:
    made = SecureBroker(mosquitto, state, processes)
    made.start()
    return made


@pytest.fixture
def board(broker: SecureBroker, state: Path, processes: Processes) -> Board:
    """A reader on a cable, a card lying on it."""
    made = Board(state / "board", processes)
    made.plug_in()
    cert.obtain(state, READER)
    address = {"host": "127.0.0.1", "port": broker.readers_port}
    wanted = {"shop": "corner", "reader": READER, "wifi": {"ssid": "demo"}, "broker": address}
    settings.keep(state, READER, wanted)
    with opened(str(made.parts.port)) as usb:
        usb.put("config.json", json.dumps(wanted).encode())
        for name in cert.FILES:
            usb.put(f"cert/{name}", (cert.folder_of(state, READER) / name).read_bytes())
    Hands(made.parts.folder / "control.sock").ask("present", card="card")
    return made


class Terminal:
    """Where the command is typed, and its questions are answered."""

    def __init__(
        self,
        state: Path,
        broker: SecureBroker,
        database_url: str,
        environment: dict[str, str],
        processes: Processes,
    ) -> None:
        self._processes = processes
        toml = state / "doctor.toml"
        toml.write_text(
            f'state = "{state}"\n[broker]\nport = {broker.port}\n'
            f'site_password = "{broker.passwords["site"]}"\n[database]\nurl = "{database_url}"\n',
            encoding="utf-8",
        )
        self._environment = {**environment, "BESNIK_CONFIG": str(toml)}

    def starts(self, where: str | Path) -> Running:
        """Start the command, to be interrupted."""
        command = [sys.executable, "-m", "besnik.cli", "fleet", "doctor", where]
        return self._processes.start("doctor", command, environment=self._environment)

    def types(self, where: str | Path, answers: str = "") -> tuple[int, str]:
        """Return the exit status and what was printed."""
        done = subprocess.run(
            [sys.executable, "-m", "besnik.cli", "fleet", "doctor", str(where)],
            input=answers,
            env=self._environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=60,
            check=False,
        )
        return done.returncode, done.stdout


@pytest.fixture
def terminal(
    state: Path,
    broker: SecureBroker,
    database_url: str,
    environment: dict[str, str],
    processes: Processes,
) -> Terminal:
    return Terminal(state, broker, database_url, environment, processes)


def test_a_reader_that_is_well_and_then_a_bridge_that_is_not(
    terminal: Terminal, board: Board, bridges: BridgeRunner, state: Path
) -> None:
    bridge = bridges.start()
    status, said = terminal.types(board.parts.port, "r\nmaybe\ng\ny\n")
    assert status == 0, said
    assert "type one of r, g, a, n" in said
    assert said.endswith("nothing is wrong\n")
    assert (state / f"readers/{READER}/antenna.svg").exists()

    bridge.kill()
    status, said = terminal.types(board.parts.port)
    assert status == 1
    assert "lights       -      nobody was there to look" in said
    assert "bridge       WRONG  the bridge died" in said
    assert said.endswith("begin with: bridge\n")


def test_a_reader_that_the_records_have_in_another_shop_or_not_at_all(
    terminal: Terminal, board: Board, bridges: BridgeRunner, database_url: str
) -> None:
    bridges.start()
    execute(
        database_url,
        "INSERT INTO store_shop (program_id, slug, name) "
        "SELECT program_id, 'station', 'Station' FROM store_shop WHERE slug = 'corner'",
    )
    move = "SELECT id FROM store_shop WHERE slug = 'station'"
    execute(database_url, f"UPDATE store_reader SET shop_id = ({move}) WHERE slug = '{READER}'")
    status, said = terminal.types(board.parts.port)
    assert status == 1
    assert f"{READER} is in shop 'station', and says that it is in 'corner'" in said
    assert f"`besnik fleet flash {READER} --shop station`" in said

    connect_crm(database_url, "odoo", breaker="open", why="no answer for 10 s")
    status, said = terminal.types(board.parts.port)
    assert "CRM          WRONG  odoo is left alone, because it failed: no answer for 10 s" in said
    assert "besnik crm test" in said

    execute(database_url, f"UPDATE store_reader SET slug = 'counter-8' WHERE slug = '{READER}'")
    status, said = terminal.types(board.parts.port)
    assert status == 1
    assert f"{READER} is unknown to this shop's records" in said


def test_ctrl_c_ends_it_at_once_and_the_reader_is_started_again(
    terminal: Terminal, board: Board
) -> None:
    with opened(str(board.parts.port)) as usb:
        usb.put("main.py", b"with open('ran', 'w') as file: file.write('yes')")
    Hands(board.parts.folder / "control.sock").ask("remove", card="card")
    examining = terminal.starts(board.parts.port)
    examining.wait_for("Lay a card on the reader", 60)
    examining.process.send_signal(signal.SIGINT)
    assert examining.wait(9) == 130, "it does not wait for the card, nor for the board"
    assert examining.log.endswith("besnik fleet doctor: stopped\n")
    # Its program runs once it was started anew, as after power-up.
    sees = "__import__('os').listdir()"
    wait_until(lambda: "'ran'" in board.mpremote("resume", "eval", sees), "it is started", 20)


def test_who_cannot_be_examined_is_said_in_plain_words(terminal: Terminal, board: Board) -> None:
    board.unplug()
    status, said = terminal.types(board.parts.port)
    assert status == 2 and "Is the cable in" in said
    status, said = terminal.types("nobody")
    assert status == 2 and "keeps no settings of 'nobody'" in said
    status, said = terminal.types("counter_1")
    assert status == 2 and "neither a reader's id" in said and "/dev/ttyUSB0" in said
