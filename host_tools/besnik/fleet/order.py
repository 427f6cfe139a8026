"""What a technician asks of a reader, and what comes of it: its settings and certificates."""

from __future__ import annotations

import getpass
import json
import os
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Final

import msgspec

from besnik import config
from besnik.fleet import ca, cert, settings
from besnik.fleet.broker import reader_password
from besnik.fleet.settings import Settings, SettingsError
from besnik.fleet.x509 import names_of

PASSWORD: Final = "BESNIK_WIFI_PASSWORD"
_SECRETS: Final = ("wifi.password", "broker.password")
# What the certificate is made for, too.
_WHO: Final = {"shop": "by --shop", "reader": "READER, the first word of the command"}
# IEEE 802.11: a passphrase has 8 to 63 characters.
_PASSPHRASE: Final = range(8, 64)
_HERE: Final = frozenset({"localhost", "127.0.0.1", "::1"})


class Order(msgspec.Struct, frozen=True, kw_only=True):
    """What a reader is to be.

    ``shop``, ``wifi``, ``host`` and ``changes`` (by key, as in ``pins.irq``) are kept with the
    reader: they need to be given once. ``password`` is the Wi-Fi's where it is known already.
    ``till``: where one stands that its shop does not know yet. ``may_drop``: taps that wait on the
    board may be lost.
    """

    reader: str
    shop: str = ""
    wifi: str = ""
    password: str | None = None
    host: str = ""
    changes: Mapping[str, str] = msgspec.field(default_factory=dict)
    waits_for_tap: bool = True
    till: str = ""
    may_drop: bool = False


class Identity(msgspec.Struct, frozen=True):
    """A reader's checked settings, and the folder of its certificates, None where MQTT is plain."""

    reader: str
    settings: Settings
    certificates: Path | None

    def files(self) -> dict[str, bytes]:
        """Return what of it is on the reader's flash, by path."""
        files = {"config.json": settings.encode(self.settings)}
        if self.certificates is not None:
            for name in cert.FILES:
                files[f"cert/{name}"] = (self.certificates / name).read_bytes()
        return files


def asked(order: Order) -> Order:
    """Return the order with the password of its Wi-Fi, to be used for several readers.

    It is asked for at the terminal, or taken from BESNIK_WIFI_PASSWORD; SettingsError.
    """
    if not order.wifi or order.password is not None:
        return order
    return msgspec.structs.replace(order, password=_wifi_password(order.wifi))


def prepared(order: Order, shop: config.Config) -> Identity:
    """Return what the order makes of a reader; its settings are kept, its certificate is made.

    Raises SettingsError if the reader would refuse its settings, CertificateError, ConfigError,
    UnixPortError, OSError.
    """
    order = asked(order)
    state = Path(shop.state)
    cert.check_id(order.reader)
    wanted = _settings(order, shop, state)
    settings.keep(state, order.reader, wanted)
    if wanted["broker"].get("plain"):
        return Identity(order.reader, wanted, None)
    cert.obtain(state, order.reader)
    return Identity(order.reader, wanted, cert.folder_of(state, order.reader))


def _settings(order: Order, shop: config.Config, state: Path) -> Settings:
    _check(order.changes)
    found = settings.kept(state, order.reader)
    given = {
        "reader": order.reader,
        "shop": order.shop,
        "wifi.ssid": order.wifi,
        "broker.host": order.host,
    }
    found = settings.changed(found, {key: json.dumps(text) for key, text in given.items() if text})
    if order.wifi:
        found["wifi"]["password"] = order.password
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
    return settings.changed(found, order.changes)


def _check(changes: Mapping[str, str]) -> None:
    for secret in _SECRETS:
        if secret in changes:
            raise SettingsError(
                f"{secret}: not on the command line, where others can read it: it is asked for,"
                f" or taken from {PASSWORD}"
            )
    for who, how in _WHO.items():
        if who in changes:
            raise SettingsError(f"{who}: not by --set: it is given {how}")


def _wifi_password(network: str) -> str:
    password = os.environ.get(PASSWORD)
    if password is None:
        if not sys.stdin.isatty():
            raise SettingsError(
                f"the password of {network!r} is asked for at a terminal, or set {PASSWORD}"
            )
        password = getpass.getpass(f"password of the network {network!r} (empty: none): ")
    if password and len(password.encode()) not in _PASSPHRASE:
        raise SettingsError(
            f"the password of {network!r} has 8 to 63 letters, or none: type it as it is on the"
            " access point"
        )
    return password


def _broker_host(shop: config.Config, state: Path) -> str:
    authority, _ = ca.obtain(state, ca.names_for(shop.broker))
    for name in names_of(authority.broker_certificate):
        if name not in _HERE:
            return name
    raise SettingsError(
        "broker.host: the broker's certificate has no name that a reader could reach: give one"
        " with --host, and to `besnik fleet ca --name`"
    )
