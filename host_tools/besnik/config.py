"""The shop's settings: ``besnik.toml``, typed, with messages that say what to change.

Every key has a default, so an absent file is a working demo on this machine. The environment
variable ``BESNIK_CONFIG`` names another file; ``BESNIK_DATABASE_URL`` overrides the database.
"""

from __future__ import annotations

import os
import re
import tomllib
from pathlib import Path
from typing import Annotated, Any

import msgspec

Port = Annotated[int, msgspec.Meta(ge=1, le=65535)]
Host = Annotated[str, msgspec.Meta(min_length=1, max_length=253)]

LOOPBACK = ("127.0.0.1", "::1", "localhost")


class ConfigError(ValueError):
    """A setting that cannot be used; the text names the key, the value and what is allowed."""


class Broker(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Where the MQTT broker listens, and the passwords of its users ``bridge`` and ``site``.

    ``host`` and ``port`` are for these two: plain MQTT inside this machine. Readers come in with
    certificates at ``readers_port``, on every address unless ``readers_host`` names one;
    ``names`` are host names and addresses, beyond those of this machine, that the broker's
    certificate is to be good for. ``plain`` lets readers in without TLS, by password.
    """

    host: Host = "127.0.0.1"
    port: Port = 1883
    bridge_password: str = ""
    site_password: str = ""
    readers_host: str = ""
    readers_port: Port = 8883
    names: tuple[Host, ...] = ()
    plain: bool = False


class Site(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Where the pages are served.

    ``counter_socket`` is the control socket of a virtual counter; empty: no counter page.
    ``public_url`` is the address by which members reach their own page, as in
    https://shop.example; the links on cards and in QR codes begin with it.
    ``tls``: every browser comes by HTTPS, through a proxy in front; cookies then go no other way.
    ``demo_login`` lets whoever sits at this machine in as anybody of the demo's staff, without a
    password: only ``besnik run`` sets it, for its own shop.
    """

    host: Host = "127.0.0.1"
    port: Port = 8000
    counter_socket: str = ""
    public_url: Annotated[str, msgspec.Meta(pattern=r"^(https?://[^/?#\s]+(/[^?#\s]*)?)?\Z")] = ""
    tls: bool = False
    demo_login: bool = False

    def __post_init__(self) -> None:
        """Refuse a log-in without a password where others can reach it."""
        if self.demo_login and self.host not in LOOPBACK:
            raise ValueError(
                f"demo_login lets anybody in without a password, so host must be {LOOPBACK[0]}; "
                "a shop adds its people by besnik staff add"
            )


class Database(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """``sqlite:///path`` (relative paths start at the state folder) or ``postgres://…``."""

    url: Annotated[str, msgspec.Meta(pattern=r"^(sqlite:///.+|postgres(ql)?://.+)\Z")] = (
        "sqlite:///besnik.sqlite3"
    )


class Bridge(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The process that answers taps.

    ``instance`` numbers the bridges that share the taps of one PostgreSQL database; 0: there is
    one bridge. ``metrics_port``: where Prometheus reads, on this machine only; 0: nowhere.
    Instance N of several listens at ``metrics_port`` + N.
    """

    instance: Annotated[int, msgspec.Meta(ge=0, le=99)] = 0
    metrics_port: Annotated[int, msgspec.Meta(ge=0, le=65_400)] = 0


class Credentials(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Where the keys of cards are: a file, relative to the state folder, that need not exist."""

    keys: Annotated[str, msgspec.Meta(min_length=1)] = "keys.toml"


class Config(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Everything a shop sets; ``state`` is the folder that holds what Besnik writes."""

    broker: Broker = Broker()
    site: Site = Site()
    database: Database = Database()
    bridge: Bridge = Bridge()
    credentials: Credentials = Credentials()
    state: Annotated[str, msgspec.Meta(min_length=1)] = ".besnik"


def load(path: Path | None = None) -> Config:
    """Return the settings from ``path``, ``BESNIK_CONFIG`` or ``besnik.toml``; ConfigError."""
    named = path or (Path(os.environ["BESNIK_CONFIG"]) if "BESNIK_CONFIG" in os.environ else None)
    file = named or Path("besnik.toml")
    raw: dict[str, Any] = {}
    if named or file.exists():
        try:
            raw = tomllib.loads(file.read_text(encoding="utf-8"))
        except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
            raise ConfigError(f"{file}: cannot be read as TOML: {error}") from error
    if url := os.environ.get("BESNIK_DATABASE_URL"):
        raw["database"] = {"url": url}
    return _typed(raw, file)


def numbered(settings: Config, instance: int) -> Config:
    """Return the settings for one of several bridges; ConfigError for a number out of range."""
    raw = {**msgspec.to_builtins(settings.bridge), "instance": instance}
    try:
        bridge = msgspec.convert(raw, Bridge)
    except msgspec.ValidationError as error:
        problem = str(error).partition(" - at `$")[0]
        raise ConfigError(f"--instance {instance}: {problem}") from error
    return msgspec.structs.replace(settings, bridge=bridge)


def _typed(raw: dict[str, Any], file: Path) -> Config:
    try:
        return msgspec.convert(raw, Config)
    except msgspec.ValidationError as error:
        problem, _, where = str(error).partition(" - at `$")
        key = where.strip("`.")
        shown = _shown(key, _at(raw, key))
        raise ConfigError(f"{file}: {key or 'top level'}{shown}: {problem}") from error


def _shown(key: str, value: Any) -> str:
    """Return `` = value`` for a message, without any password in it."""
    if value is None:
        return ""
    if key.endswith("password"):
        return " = ***"
    return " = " + re.sub(r"//[^@/]*@", "//***@", repr(value))


def _at(raw: Any, key: str) -> Any:
    for part in filter(None, key.split(".")):
        if not isinstance(raw, dict):
            return None
        raw = raw.get(part)
    return None if isinstance(raw, dict) else raw
