"""``besnik fleet flash``: from a board on the table to a reader whose first tap was answered."""

from __future__ import annotations

import asyncio
import datetime as dt
import getpass
import json
import os
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Final

import msgspec

from besnik import config
from besnik.bytecode import CompileError
from besnik.fleet import ca, cert, content, image, label, settings
from besnik.fleet.broker import reader_password
from besnik.fleet.flash import write
from besnik.fleet.register import CertificateError
from besnik.fleet.settings import Settings, SettingsError
from besnik.fleet.usb import BoardError, opened, ports
from besnik.fleet.watch import RefusedError, Watcher
from besnik.fleet.x509 import names_of
from besnik.unix_port import UnixPortError

# A reader starts in seconds; Wi-Fi, the clock and the first handshake take most of them.
ONLINE_S: Final = 60
TAP_S: Final = 120
_PASSWORD: Final = "BESNIK_WIFI_PASSWORD"
_HERE: Final = frozenset({"localhost", "127.0.0.1", "::1"})


class Order(msgspec.Struct, frozen=True, kw_only=True):
    """What is to be made of which board.

    ``shop``, ``wifi``, ``host`` and ``changes`` (by key, as in ``pins.irq``) are kept with the
    reader: they need to be given once. ``loader`` is the port of the chip's ROM loader where that
    is another one, as on chips with USB of their own.
    """

    reader: str
    port: str = ""
    shop: str = ""
    wifi: str = ""
    host: str = ""
    changes: Mapping[str, str] = msgspec.field(default_factory=dict)
    image: Path | None = None
    loader: str = ""
    waits_for_tap: bool = True


def main(order: Order) -> int:
    """Carry the order out; return the exit status."""
    try:
        return asyncio.run(_flash(order, config.load()))
    except (
        BoardError,
        CertificateError,
        CompileError,
        SettingsError,
        UnixPortError,
        config.ConfigError,
        OSError,
        TimeoutError,
    ) as error:
        print(f"besnik fleet flash: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("\nbesnik fleet flash: stopped; run it again to finish", file=sys.stderr)
        return 130


async def _flash(order: Order, shop: config.Config) -> int:
    state = Path(shop.state)
    cert.check_id(order.reader)
    wanted = _settings(order, shop, state)
    settings.keep(state, order.reader, wanted)
    certificates = None
    if not wanted["broker"].get("plain"):
        cert.obtain(state, order.reader)
        certificates = cert.folder_of(state, order.reader)
    files = content.of_reader(wanted, certificates)
    port = order.port or _only_port()
    watcher = Watcher(shop.broker, wanted["shop"], order.reader)
    await _connect(watcher, shop)
    try:
        if order.image:
            print(f"{port}: MicroPython from {order.image.name} …", flush=True)
            await asyncio.to_thread(image.write, order.loader or port, order.image)
        written = await asyncio.to_thread(_write, port, files)
        print(f"{port}: {written} of {len(files)} files written, all checked", flush=True)
        seen = await _see(watcher, order)
    finally:
        await watcher.close()
    made = f"{dt.datetime.now(dt.UTC):%Y-%m-%d}"
    card = label.write(
        settings.path_of(state, order.reader).parent, wanted["shop"], order.reader, made
    )
    print(f"print and stick under the reader: {card}")
    return 0 if seen else 1


def _settings(order: Order, shop: config.Config, state: Path) -> Settings:
    changes = dict(order.changes)
    for secret in ("wifi.password", "broker.password"):
        if secret in changes:
            raise SettingsError(
                f"{secret}: not on the command line, where others can read it: it is asked for,"
                f" or taken from {_PASSWORD}"
            )
    found = settings.kept(state, order.reader)
    given = {
        "reader": order.reader,
        "shop": order.shop,
        "wifi.ssid": order.wifi,
        "broker.host": order.host,
    }
    found = settings.changed(found, {key: json.dumps(text) for key, text in given.items() if text})
    if order.wifi:
        found["wifi"]["password"] = _wifi_password(order.wifi)
    broker = found.setdefault("broker", {})
    if bool(broker.get("plain")) != shop.broker.plain:
        # The shop has gone over to TLS, or from it: what was for the other way goes.
        for key in ("plain", "password", "port"):
            broker.pop(key, None)
    if shop.broker.plain:
        broker.update(plain=True, password=reader_password(shop, order.reader))
        broker.setdefault("port", shop.broker.port)
    else:
        broker.setdefault("port", shop.broker.readers_port)
    if "host" not in broker:
        broker["host"] = _broker_host(shop, state)
    return settings.changed(found, changes)


def _wifi_password(network: str) -> str:
    if _PASSWORD in os.environ:
        return os.environ[_PASSWORD]
    if not sys.stdin.isatty():
        raise SettingsError(
            f"the password of {network!r} is asked for at a terminal, or set {_PASSWORD}"
        )
    return getpass.getpass(f"password of the network {network!r} (empty: none): ")


def _broker_host(shop: config.Config, state: Path) -> str:
    authority, _ = ca.obtain(state, ca.names_for(shop.broker))
    for name in names_of(authority.broker_certificate):
        if name not in _HERE:
            return name
    raise SettingsError(
        "broker.host: the broker's certificate has no name that a reader could reach: give one"
        " with --host, and to `besnik fleet ca --name`"
    )


def _only_port() -> str:
    found = ports()
    if len(found) == 1:
        return found[0]
    if not found:
        raise BoardError(
            "no board is connected: is the cable in, and does it carry data and not only power?"
        )
    raise BoardError(f"several boards are connected: name one of {', '.join(found)}")


async def _connect(watcher: Watcher, shop: config.Config) -> None:
    try:
        await watcher.connect()
    except RefusedError as error:
        raise BoardError(
            "the broker does not take the site's password: [broker] site_password in besnik.toml"
            " is not what it was started with"
        ) from error
    except (OSError, TimeoutError) as error:
        where = f"{shop.broker.host}:{shop.broker.port}"
        raise BoardError(
            f"the broker at {where} does not answer, and the reader is to be seen there: start it"
            " with `besnik broker`"
        ) from error


def _write(port: str, files: dict[str, bytes]) -> int:
    with opened(port) as board:
        return write(board, files, _show)


def _show(path: str, done: int, total: int) -> None:
    share = 100 * done // total if total else 100
    end = "\n" if not path else ""
    print(f"\r{share:3} % {path:32}", end=end, flush=True)


async def _see(watcher: Watcher, order: Order) -> bool:
    print("the reader starts …", flush=True)
    birth = await watcher.online(ONLINE_S)
    if birth is None:
        print(
            f"{order.reader} did not come on line within {ONLINE_S} s. Its light says why"
            " (README: signals); usually the Wi-Fi's name or password, or broker.host",
            file=sys.stderr,
        )
        return False
    print(f"{order.reader} is on line, start {birth.bd}", flush=True)
    if not order.waits_for_tap:
        return True
    print("hold any card to it …", flush=True)
    visit = await watcher.visit(TAP_S)
    if visit is None:
        print(
            f"no tap was answered within {TAP_S} s: is the RC522 wired as the README says, does the"
            " bridge run, and is this reader in its shop (page Readers)?",
            file=sys.stderr,
        )
        return False
    print(f"tap {visit.tap}: {visit.r}, {visit.why}. The reader works.", flush=True)
    return True
