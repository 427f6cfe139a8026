"""``besnik fleet doctor PORT``, from Wi-Fi to CRM: a real broker, and each fault on the way."""

from __future__ import annotations

import asyncio
import contextlib
import datetime as dt
import json
import shutil
import socket
import tempfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any, Literal

import gmqtt
import pytest
from cryptography.hazmat.primitives.serialization import Encoding

from besnik import broker as besnik_broker
from besnik import config, contract
from besnik.fleet import ca, cert, x509
from besnik.fleet.doctor import at_port
from besnik.fleet.doctor.at_port import of_way
from besnik.fleet.doctor.bench import Bench
from besnik.fleet.doctor.finding import Finding
from besnik.fleet.doctor.services import Records
from besnik.fleet.usb import opened
from support.broker import free_port
from support.hands import Hands
from support.processes import Processes
from support.secure_broker import SecureBroker
from support.usb_board import Board

READER = "counter-1"
MENDED: dict[str, Any] = {"network": "ok", "time_server": True}


class Shop:
    """A shop with a broker, and one finished reader on a cable."""

    def __init__(
        self, folder: Path, processes: Processes, mosquitto: besnik_broker.Mosquitto
    ) -> None:
        self.folder = folder
        self.broker = SecureBroker(mosquitto, folder, processes)
        self.broker.start()
        self.settings = config.Config(
            broker=config.Broker(
                port=self.broker.port,
                readers_port=self.broker.readers_port,
                site_password=self.broker.passwords["site"],
            ),
            state=str(folder),
        )
        self.board = Board(folder / "board", processes)
        self.board.plug_in()
        self.hands = Hands(self.board.parts.folder / "control.sock")
        cert.obtain(folder, READER)
        self.bridge_says("online")

    def bridge_says(self, state: Literal["online", "lost", "offline"]) -> None:
        """Leave the word of a bridge at the broker, where it is kept."""
        asyncio.run(self._say(contract.encode(contract.State(state, 1))))

    async def _say(self, state: bytes) -> None:
        client = gmqtt.Client(None)
        client.set_auth_credentials("bridge", self.broker.passwords["bridge"])
        kept = asyncio.Event()
        client.on_message = lambda *_: kept.set()
        await client.connect("127.0.0.1", self.broker.port)
        client.subscribe(contract.BRIDGE_STATE, qos=1)
        client.publish(contract.BRIDGE_STATE, state, qos=1, retain=True)
        await asyncio.wait_for(kept.wait(), 5)
        await client.disconnect()

    def files(self, **broker: Any) -> dict[str, bytes]:
        """Return what is on the reader; ``broker`` are settings that differ."""
        address = {"host": "127.0.0.1", "port": self.broker.readers_port, **broker}
        settings = {"shop": "corner", "reader": READER, "wifi": {"ssid": "demo"}, "broker": address}
        found = {"config.json": json.dumps(settings).encode()}
        for name in cert.FILES:
            found[f"cert/{name}"] = (cert.folder_of(self.folder, READER) / name).read_bytes()
        return found

    def doctor(self, files: dict[str, bytes] | None = None, **faults: Any) -> dict[str, Finding]:
        """Return what is found of a reader with these files and faults, by part."""
        self.hands.ask("fault", **(MENDED | faults))
        with opened(str(self.board.parts.port)) as board:
            for path, data in (files or self.files()).items():
                board.put(path, data)
            found = list(of_way(Bench(board), self.settings, lambda _: Records("corner")))
        return {finding.part: finding for finding in found}


@pytest.fixture(scope="module")
def shop(environment: dict[str, str], mosquitto: besnik_broker.Mosquitto) -> Iterator[Shop]:
    """One shop for all these tests; a bridge has said that it answers."""
    folder = Path(tempfile.mkdtemp(prefix="besnik-"))
    (folder / "logs").mkdir()
    processes = Processes(folder / "logs", environment)
    yield Shop(folder, processes, mosquitto)
    processes.end()
    shutil.rmtree(folder, ignore_errors=True)


def test_a_reader_that_comes_in(shop: Shop) -> None:
    found = shop.doctor()
    assert list(found) == ["Wi-Fi", "clock", "certificate", "broker", "bridge", "CRM"]
    for finding in found.values():
        assert finding.state == "ok", finding
    assert found["Wi-Fi"].says == "joined 'demo', heard at -58 dBm"


@pytest.mark.parametrize(
    ("network", "says", "to_do"),
    [
        ("refuses", "does not take the password", "--wifi NETWORK"),
        ("gone", "'demo' is not in sight", "2.4 GHz only"),
        ("no_address", "in sight, and does not let the reader in (status 1001)", "DHCP"),
        ("weak", "heard at -84 dBm, which is weak", "nearer"),
    ],
)
def test_wifi(shop: Shop, network: str, says: str, to_do: str) -> None:
    found = shop.doctor(network=network)
    assert found["Wi-Fi"].state == "wrong"
    assert says in found["Wi-Fi"].says and to_do in found["Wi-Fi"].do
    if network != "weak":
        assert found["clock"].state == found["broker"].state == "skipped"
    assert found["certificate"].state == "ok", "what needs no network is looked at"


def test_no_time_server(shop: Shop) -> None:
    found = shop.doctor(time_server=False)
    assert "no time server answers" in found["clock"].says
    assert "port 123" in found["clock"].do
    assert found["broker"].state == "ok"


def test_a_clock_of_the_network_that_is_not_this_machine_s(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    slow_s = time.time() - 3600
    monkeypatch.setattr(at_port, "time", SimpleNamespace(time=lambda: slow_s))
    found = shop.doctor()
    assert "s ahead of this machine" in found["clock"].says
    assert "timedatectl" in found["clock"].do


def test_certificates_that_are_damaged_or_those_of_another_shop(shop: Shop, tmp_path: Path) -> None:
    found = shop.doctor(shop.files() | {"cert/reader.key": b"half"})
    assert "cert: cannot be used" in found["certificate"].says
    assert f"besnik fleet flash {READER}" in found["certificate"].do
    assert found["broker"].state == "skipped"

    ca.obtain(tmp_path, ["127.0.0.1"])
    cert.obtain(tmp_path, READER)
    other = {
        f"cert/{name}": (cert.folder_of(tmp_path, READER) / name).read_bytes()
        for name in cert.FILES
    }
    assert "another shop's authority" in shop.doctor(shop.files() | other)["certificate"].says


def pair_files(pair: x509.Pair) -> dict[str, bytes]:
    return {
        "cert/reader.der": pair.certificate.public_bytes(Encoding.DER),
        "cert/reader.key": x509.key_der(pair.key),
    }


def test_certificates_of_another_reader_ended_or_with_another_key(shop: Shop) -> None:
    authority = shop.broker.authority.pair
    now = dt.datetime.now(dt.UTC)
    other = x509.issue_for_reader(authority, "counter-9", now)
    found = shop.doctor(shop.files() | pair_files(other))
    assert "that of counter-9, not of counter-1" in found["certificate"].says

    long_ago = now - dt.timedelta(days=x509.CERTIFICATE_DAYS + 2)
    ended = x509.issue_for_reader(authority, READER, long_ago)
    found = shop.doctor(shop.files() | pair_files(ended))
    assert "the reader's certificate ended on" in found["certificate"].says

    own = x509.issue_for_reader(authority, READER, now)
    swapped = {"cert/reader.key": x509.key_der(own.key)}
    found = shop.doctor(shop.files() | swapped)
    assert found["certificate"].state == "wrong"


def test_a_certificate_that_was_revoked(shop: Shop) -> None:
    before = shop.files()
    cert.revoke(shop.folder, READER)
    try:
        found = shop.doctor(before)
    finally:
        cert.obtain(shop.folder, READER)
    assert found["certificate"].says == "the reader's certificate was revoked"
    assert "--renew" in found["certificate"].do


def test_a_name_that_the_brokers_certificate_lacks(shop: Shop) -> None:
    found = shop.doctor(shop.files(host="broker.shop.example"))
    assert "not for broker.host = 'broker.shop.example'" in found["certificate"].says
    assert "besnik fleet ca --name broker.shop.example" in found["certificate"].do


def test_a_name_that_nobody_knows(shop: Shop) -> None:
    # RFC 2606: there is none, ever.
    port = shop.broker.port
    found = shop.doctor(shop.files(host="no.invalid", port=port, plain=True, password="old"))
    assert "'no.invalid' is not found" in found["broker"].says
    assert "as a number" in found["broker"].do


def test_no_broker_where_the_reader_looks(shop: Shop) -> None:
    found = shop.doctor(shop.files(port=free_port()))
    assert "nobody listens at 127.0.0.1" in found["broker"].says
    assert "readers_port" in found["broker"].do


def test_a_firewall_on_the_way(shop: Shop) -> None:
    """What asks to be let in gets no answer at all: here the queue of a server who never looks."""
    with socket.create_server(("127.0.0.1", 0), backlog=0) as deaf:
        address = deaf.getsockname()
        with contextlib.ExitStack() as waiting:
            for _ in range(3):
                one = waiting.enter_context(socket.socket())
                one.setblocking(False)
                one.connect_ex(address)
            found = shop.doctor(shop.files(port=address[1]))
    assert "no way from the reader's network" in found["broker"].says
    assert "firewall" in found["broker"].do


@pytest.mark.parametrize(
    ("answer", "plain", "says", "to_do"),
    [
        (b"HTTP/1.1 400 Bad Request\r\n\r\n", False, "no encrypted connection", "besnik broker"),
        (b"", True, "hangs up on the reader", "restart"),
    ],
)
def test_somebody_who_is_no_broker(
    shop: Shop, answer: bytes, plain: bool, says: str, to_do: str
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        thread = threading.Thread(target=_answer_once, args=(server, answer))
        thread.start()
        found = shop.doctor(shop.files(port=server.getsockname()[1], plain=plain, password="x"))
        thread.join(10)
    assert says in found["broker"].says, found["broker"]
    assert to_do in found["broker"].do


def _answer_once(server: socket.socket, answer: bytes) -> None:
    line, _ = server.accept()
    with line:
        line.recv(1024)
        line.sendall(answer)


def test_a_password_that_the_broker_does_not_take(shop: Shop) -> None:
    found = shop.doctor(shop.files(port=shop.broker.port, plain=True, password="old"))
    assert found["certificate"].state == "skipped"
    assert found["broker"].says == "the broker does not take the reader's password"


def test_the_broker_of_another_shop(shop: Shop) -> None:
    own = shop.broker.authority.pair
    other = x509.make_authority(dt.datetime.now(dt.UTC))
    shown = x509.issue_for_broker(other, ["127.0.0.1"], dt.datetime.now(dt.UTC))
    assert own.certificate != other.certificate
    shop.broker.stop()
    shop.broker.show(shown)
    shop.broker.start()
    try:
        found = shop.doctor()
    finally:
        shop.broker.stop()
        shop.broker.show(None)
        shop.broker.start()
    assert "another authority signed its certificate" in found["broker"].says


def test_a_broker_that_does_not_run(shop: Shop) -> None:
    shop.broker.stop()
    try:
        found = shop.doctor()
    finally:
        shop.broker.start()
    assert "nobody answers at" in found["broker"].says
    assert "besnik broker" in found["broker"].do
    assert found["bridge"].state == found["CRM"].state == "skipped"


@pytest.mark.parametrize(
    ("state", "says"), [("offline", "its database is away"), ("lost", "the bridge died")]
)
def test_a_bridge_that_does_not_answer(
    shop: Shop, state: Literal["offline", "lost"], says: str
) -> None:
    shop.bridge_says(state)
    try:
        found = shop.doctor()
    finally:
        shop.bridge_says("online")
    assert says in found["bridge"].says
    assert "besnik bridge" in found["bridge"].do
