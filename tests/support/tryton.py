"""A real Tryton: installed on first use, its database prepared once, started in about a second."""

from __future__ import annotations

import base64
import contextlib
import fcntl
import hashlib
import itertools
import json
import os
import shutil
import signal
import socket
import sqlite3
import subprocess
import sys
import tempfile
import urllib.request
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Final

import pytest

from besnik.crm import tryton
from besnik.crm.tryton import Tryton
from support.broker import free_port
from support.processes import Processes, Running, wait_until

ROOT: Final = Path(__file__).resolve().parents[2]
LOCK: Final = ROOT / "host_tools/requirements/tryton.lock"
PACKAGES: Final = ROOT / ".besnik/cache/tryton"
DATABASE: Final = "crm"
# Somebody who may do everything, and Besnik's own user, who may do what the adapter asks for.
ADMIN: Final = ("admin", "the-owner-of-tryton")
BESNIK: Final = ("besnik", "besnik-at-the-counter")

_READY_S: Final = 30
_MARK: Final = "Besnik "
_PARTY: Final = (
    "INSERT INTO party_party (id, active, code, name, create_date, create_uid)"
    " VALUES (?, 1, ?, ?, CURRENT_TIMESTAMP, 1)"
)
_IDENTIFIER: Final = (
    "INSERT INTO party_identifier (active, party, code, code_compact, create_date, create_uid)"
    " VALUES (1, ?, ?, ?, CURRENT_TIMESTAMP, 1)"
)


class TrytonServer:
    """Tryton on a port of its own with a copy of the prepared database; not started yet.

    As `crm_contract.CrmServer`, with `Person` being what a person does in Tryton's own client.
    """

    field = "categories.rec_name"

    def __init__(self, processes: Processes, folder: Path) -> None:
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.person = Person(self.url, *ADMIN)
        self._processes = processes
        self._folder = folder
        self._configuration = _configured(folder, self.port)
        shutil.copyfile(prepared(), folder / f"{DATABASE}.sqlite")
        self._process: Running | None = None

    @property
    def settings(self) -> dict[str, str]:
        """What an owner fills in."""
        return {"address": self.url, "database": DATABASE, "user": BESNIK[0]}

    @property
    def secrets(self) -> dict[str, str]:
        """What an owner fills in and nobody sees again."""
        return {"password": BESNIK[1]}

    @property
    def log(self) -> str:
        """What it logged since its last start, each request among it."""
        return self._running().log

    @property
    def pid(self) -> int:
        """The process id."""
        return self._running().pid

    def open(self, *, url: str = "", key: str = "") -> Tryton:
        """See CrmServer."""
        settings = {**self.settings, **({"address": url} if url else {})}
        return Tryton.open_crm(settings, {"password": key} if key else self.secrets)

    def small_pages(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """See CrmServer."""
        monkeypatch.setattr(tryton, "PAGE_SIZE", 2)

    def add(self, name: str, *cards: str, shown: str = "") -> str:
        """See CrmServer."""
        party: dict[str, Any] = {"name": name}
        if cards:
            party["identifiers"] = [["create", [{"code": card} for card in cards]]]
        if shown:
            party["categories"] = [["add", [self._category(shown)]]]
        (made,) = self.person.does("party.party.create", [party])
        return str(made)

    def add_many(self, cards: Sequence[str]) -> None:
        """Make a customer for each card, straight in the database: Tryton is stopped meanwhile."""
        self.stop()
        with contextlib.closing(sqlite3.connect(self._folder / f"{DATABASE}.sqlite")) as database:
            last = database.execute("SELECT coalesce(max(id), 0) FROM party_party").fetchone()[0]
            people = enumerate(cards, last + 1)
            for number, card in people:
                database.execute(_PARTY, (number, f"C{number}", f"Customer {number}"))
                database.execute(_IDENTIFIER, (number, card, card))
            database.commit()
        self.start()

    def remove(self, customer: str) -> None:
        """See CrmServer."""
        self.person.does("party.party.delete", [int(customer)])

    def events(self, customer: str) -> list[str]:
        """See CrmServer."""
        last_lines = (text.rpartition("\n")[2] for text in self.notes(customer))
        return [line.removeprefix(_MARK) for line in last_lines if line.startswith(_MARK)]

    def notes(self, customer: str) -> list[str]:
        """Return the notes on a party, the oldest first."""
        domain = [["resource", "=", f"party.party,{customer}"]]
        found = self.person.does(
            "ir.note.search_read", domain, 0, 1000, [["id", "ASC"]], ["message"]
        )
        return [note["message"] for note in found]

    def all_events(self) -> list[str]:
        """Return the ids of the events on all parties."""
        found = self.person.does(
            "ir.note.search_read", [], 0, 100_000, [["id", "ASC"]], ["message"]
        )
        last_lines = (note["message"].rpartition("\n")[2] for note in found)
        return [line.removeprefix(_MARK) for line in last_lines if line.startswith(_MARK)]

    def start(self) -> None:
        """Start the server, and return when it takes requests."""
        self._process = process = self._processes.start(
            "tryton",
            [*_tryton("trytond"), "-c", self._configuration, "-d", DATABASE],
            environment=_ENV,
        )
        wait_until(lambda: _listens(self.port) or not process.alive, "Tryton listens", _READY_S)
        assert process.alive, f"Tryton ended at once:\n{process.log}"

    def stop(self) -> None:
        """End the server as a power cut would."""
        self._running().kill()

    def hold(self) -> None:
        """Let the server do nothing, without anybody hearing of it."""
        os.killpg(self.pid, signal.SIGSTOP)

    def go_on(self) -> None:
        """Let it do what has come in meanwhile, and go on."""
        os.killpg(self.pid, signal.SIGCONT)

    def _category(self, name: str) -> int:
        found = self.person.does("party.category.search", [["name", "=", name]], 0, 1, None)
        return int((found or self.person.does("party.category.create", [{"name": name}]))[0])

    def _running(self) -> Running:
        assert self._process is not None, "Tryton was not started"
        return self._process


class Person:
    """Somebody who works in Tryton with its own client."""

    def __init__(self, url: str, user: str, password: str) -> None:
        self._url = f"{url}/{DATABASE}/rpc/"
        self._user = user
        self._password = password
        self._session = ""
        self._numbers = itertools.count(1)

    def does(self, what: str, *parameters: Any) -> Any:
        """Call a method of a model (``party.party.create``); AssertionError if it is refused."""
        if not self._session:
            signed_in = self._send("common.db.login", self._user, {"password": self._password})
            session = f"{self._user}:{signed_in[0]}:{signed_in[1]}"
            self._session = base64.b64encode(session.encode()).decode()
        return self._send(f"model.{what}", *parameters, {})

    def _send(self, method: str, *parameters: Any) -> Any:
        request = urllib.request.Request(
            self._url,
            json.dumps(
                {"id": next(self._numbers), "method": method, "params": parameters}
            ).encode(),
            {"Content-Type": "application/json", "Authorization": f"Session {self._session}"},
        )
        with urllib.request.urlopen(request, timeout=20) as answer:
            said = json.loads(answer.read())
        assert "error" not in said, f"{method}: {said['error']}"
        return said["result"]


@contextlib.contextmanager
def running_tryton(environment: dict[str, str]) -> Iterator[TrytonServer]:
    """Yield a server that is started, in a folder and with processes of its own."""
    folder = Path(tempfile.mkdtemp(prefix="besnik-tryton-"))
    (folder / "logs").mkdir()
    processes = Processes(folder / "logs", environment)
    try:
        server = TrytonServer(processes, folder)
        server.start()
        yield server
    finally:
        processes.end()
        shutil.rmtree(folder, ignore_errors=True)


def prepared() -> Path:
    """Return a database with Tryton's tables and two users, made by whoever comes first."""
    _install()
    text = LOCK.read_bytes() + Path(__file__).read_bytes()
    file = PACKAGES.parent / f"tryton-{hashlib.sha256(text).hexdigest()[:16]}.sqlite"
    with (PACKAGES.parent / "tryton.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not file.exists():
            for old in file.parent.glob("tryton-*.sqlite"):
                old.unlink()
            _prepare(file)
    return file


def _listens(port: int) -> bool:
    with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
        return True
    return False


_ENV: Final = {"PYTHONPATH": str(PACKAGES)}


def _tryton(command: str) -> list[str | Path]:
    # -S: nothing of `.venv` is seen, so that Tryton has what its own lock file pins.
    return [sys.executable, "-S", PACKAGES / "bin" / command]


def _install() -> None:
    done = subprocess.run(
        [sys.executable, ROOT / "host_tools/bootstrap.py", "tryton"],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    assert done.returncode == 0, f"Tryton cannot be installed:\n{done.stdout}"


def _configured(folder: Path, port: int) -> Path:
    file = folder / "trytond.conf"
    file.write_text(
        f"[database]\nuri = sqlite://\npath = {folder}\n[web]\nlisten = 127.0.0.1:{port}\n"
    )
    return file


def _prepare(file: Path) -> None:
    with tempfile.TemporaryDirectory(dir=file.parent) as name:
        folder = Path(name)
        draft = folder / f"{DATABASE}.sqlite"
        draft.touch()
        (folder / "password").write_text(ADMIN[1])
        port = free_port()
        configuration = _configured(folder, port)
        options = ["-u", "party", "--activate-dependencies", "--email", "owner@example.com"]
        done = subprocess.run(
            [*_tryton("trytond-admin"), "-c", configuration, "-d", DATABASE, *options],
            env={**os.environ, **_ENV, "TRYTONPASSFILE": str(folder / "password")},
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, f"Tryton's database cannot be made:\n{done.stderr}"
        _add_user(folder, configuration, port)
        # What Tryton wrote last may be in a file beside it (WAL): this takes all into one.
        with contextlib.closing(sqlite3.connect(draft)) as connection:
            connection.execute("VACUUM INTO ?", [str(folder / "whole")])
        (folder / "whole").rename(file)


def _add_user(folder: Path, configuration: Path, port: int) -> None:
    processes = Processes(folder, dict(os.environ))
    command = [*_tryton("trytond"), "-c", configuration, "-d", DATABASE]
    try:
        processes.start("tryton", command, environment=_ENV)
        wait_until(lambda: _listens(port), "Tryton listens", _READY_S)
        person = Person(f"http://127.0.0.1:{port}", *ADMIN)
        person.does(
            "res.user.create", [{"name": "Besnik", "login": BESNIK[0], "password": BESNIK[1]}]
        )
    finally:
        processes.end()
