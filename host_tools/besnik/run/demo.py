"""The demo shop's files: settings, passwords, the virtual counter's parts, the reader's flash."""

from __future__ import annotations

import json
import tempfile
from dataclasses import dataclass
from pathlib import Path

import msgspec

from besnik import broker, demo
from besnik.config import Broker, Config, Site
from besnik.contract import HOST_USERS
from besnik.fleet import ca, cert
from besnik.run import wallet
from besnik.sim.model.board import PINS

HOST = "127.0.0.1"
# A Unix socket's path must fit into sun_path, 108 bytes with its NUL (unix(7)).
_SOCKET_PATH_MAX = 107


@dataclass(frozen=True)
class Demo:
    """Where the parts of one demo shop are. ``settings`` is what its host processes read."""

    folder: Path
    settings: Config
    settings_file: Path
    broker_configuration: Path
    monitor_password: str
    sockets: Path
    cards_file: Path
    pins_file: Path
    reader_config: dict[str, object]
    certificates: Path

    @property
    def logs(self) -> Path:
        """What each process printed."""
        return self.folder / "logs"

    @property
    def control_socket(self) -> Path:
        """Where cards are presented and pins watched."""
        return self.sockets / "control.sock"

    @property
    def spi_socket(self) -> Path:
        """Where the reader's firmware finds its chip."""
        return self.sockets / "spi.sock"

    @property
    def flash(self) -> Path:
        """The reader's file system: it keeps the outbox, so it outlives a run."""
        return self.folder / "reader"

    @property
    def nvs(self) -> Path:
        """The reader's non-volatile storage: it keeps the boot counter."""
        return self.folder / "nvs.json"

    def page(self, path: str) -> str:
        """Return the address of a page."""
        return f"http://{self.settings.site.host}:{self.settings.site.port}/{path}"


def prepare(folder: Path, *, broker_port: int, readers_port: int, site_port: int) -> Demo:
    """Write the demo's files into ``folder``, which may hold those of an earlier run."""
    folder = folder.resolve()
    for part in (folder, folder / "logs"):
        part.mkdir(mode=0o700, parents=True, exist_ok=True)
    passwords = broker.passwords(folder / "broker", HOST_USERS)
    # Not all of them: an earlier Besnik let the reader in by password.
    accounts = {user: passwords[user] for user in HOST_USERS}
    sockets = _sockets(folder)
    settings = Config(
        broker=Broker(
            port=broker_port,
            bridge_password=accounts[broker.BRIDGE],
            site_password=accounts[broker.SITE],
            readers_host=HOST,
            readers_port=readers_port,
        ),
        site=Site(
            host=HOST,
            port=site_port,
            counter_socket=str(sockets / "control.sock"),
            demo_login=True,
        ),
        state=str(folder),
    )
    authority, _ = ca.obtain(folder, [HOST])
    cert.obtain(folder, demo.READER)
    prepared = Demo(
        folder=folder,
        settings=settings,
        settings_file=folder / "besnik.toml",
        broker_configuration=broker.configure(
            folder / "broker",
            port=broker_port,
            accounts=accounts,
            readers=authority.listener(host=HOST, port=readers_port),
        ),
        monitor_password=accounts[broker.MONITOR],
        sockets=sockets,
        cards_file=folder / "cards.json",
        pins_file=folder / "pins.json",
        reader_config=reader_config(settings.broker),
        certificates=cert.folder_of(folder, demo.READER),
    )
    broker.write_private(prepared.settings_file, _toml(settings))
    wallet.write(prepared.cards_file, folder / settings.credentials.keys)
    prepared.pins_file.write_text(json.dumps(PINS), encoding="utf-8")
    return prepared


def _sockets(folder: Path) -> Path:
    """Return a folder for the counter's sockets, elsewhere if the path would be too long."""
    sockets = folder / "counter"
    if len(bytes(sockets / "control.sock")) > _SOCKET_PATH_MAX:
        return Path(tempfile.mkdtemp(prefix="besnik-counter-"))
    sockets.mkdir(mode=0o700, exist_ok=True)
    return sockets


def reader_config(address: Broker) -> dict[str, object]:
    """Return the ``config.json`` of the demo's reader for a broker."""
    return {
        "shop": demo.SHOP,
        "reader": demo.READER,
        "wifi": {"ssid": "demo"},
        "broker": {"host": address.readers_host, "port": address.readers_port},
        "pins": PINS,
        "cards": {"families": ["sun", "uid"]},
    }


def _toml(settings: Config) -> str:
    """Return the settings as TOML."""
    tables = msgspec.to_builtins(settings)
    lines = _pairs({key: value for key, value in tables.items() if not isinstance(value, dict)})
    for name, table in tables.items():
        if isinstance(table, dict):
            lines += ["", f"[{name}]", *_pairs(table)]
    return "\n".join(lines) + "\n"


def _pairs(table: dict[str, object]) -> list[str]:
    # A JSON string is a TOML string when its characters are not written as surrogate pairs.
    return [f"{key} = {json.dumps(value, ensure_ascii=False)}" for key, value in table.items()]
