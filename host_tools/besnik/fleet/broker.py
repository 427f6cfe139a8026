"""``besnik broker``: mosquitto as the settings of this shop want it, until it is stopped."""

from __future__ import annotations

import ipaddress
import os
import sys
from pathlib import Path
from typing import NoReturn

from besnik import broker, config
from besnik.broker import BrokerError
from besnik.contract import HOST_USERS
from besnik.fleet import ca
from besnik.fleet.register import CertificateError


def main() -> int:
    """Become the broker; return the exit status (1) only if that cannot be."""
    try:
        settings = config.load()
        mosquitto = broker.find(Path(settings.state) / "cache")
        command = mosquitto.command(configuration(settings))
        print(f"besnik broker: {_doors(settings.broker)}", flush=True)
        _become(command, {**os.environ, **mosquitto.environment})
    except (BrokerError, CertificateError, config.ConfigError, OSError) as error:
        print(f"besnik broker: {error}", file=sys.stderr)
        return 1


def _become(command: list[str], environment: dict[str, str]) -> NoReturn:
    # The same process, so that whoever stops this command stops mosquitto, and in order.
    os.execve(command[0], command, environment)


def configuration(settings: config.Config) -> Path:
    """Write mosquitto's configuration and return its path.

    The authority is made if absent, and the broker's certificate anew when it ends this season
    or lacks a name. BrokerError or CertificateError if the settings do not allow it.
    """
    address, state = settings.broker, Path(settings.state)
    if not _is_loopback(address.host):
        raise BrokerError(
            f"[broker] host = {address.host!r}: bridge and site speak without TLS, so it must be "
            "an address inside this machine, like 127.0.0.1; where readers come in is readers_host"
        )
    accounts = _accounts(settings)
    authority, _ = ca.obtain(state, ca.names_for(address))
    return broker.configure(
        _folder(settings),
        host="" if address.plain else address.host,
        port=address.port,
        accounts=accounts,
        readers=authority.listener(host=address.readers_host, port=address.readers_port),
    )


def reader_password(settings: config.Config, reader: str) -> str:
    """Return the password of a reader without TLS, made if absent; BrokerError if there are none.

    The broker knows it from its next start on.
    """
    if not settings.broker.plain:
        raise BrokerError(
            "readers come in by certificate (besnik fleet cert); only with [broker] plain = true "
            "in besnik.toml do passwords open anything"
        )
    return broker.passwords(_folder(settings), [reader])[reader]


def _accounts(settings: config.Config) -> dict[str, str]:
    """Return who enters without a certificate: the host's users and, if plain, readers."""
    given = {
        broker.BRIDGE: settings.broker.bridge_password,
        broker.SITE: settings.broker.site_password,
    }
    kept = broker.passwords(_folder(settings), HOST_USERS)
    missing = [f'{user}_password = "{kept[user]}"' for user in given if not given[user]]
    if missing:
        raise BrokerError(
            "bridge and site need passwords. Put these, made for you, under [broker] into "
            "besnik.toml:\n" + "\n".join(missing)
        )
    readers = set(kept) - set(HOST_USERS) if settings.broker.plain else set()
    return {user: kept[user] for user in (*HOST_USERS, *sorted(readers))} | given


def _folder(settings: config.Config) -> Path:
    return Path(settings.state) / "broker"


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _doors(address: config.Broker) -> str:
    by_certificate = f"{address.readers_host or 'every address'}, port {address.readers_port}"
    if address.plain:
        return (
            f"readers with certificates at {by_certificate}; READERS WITHOUT TLS, bridge and site "
            f"at every address, port {address.port}"
        )
    return (
        f"readers with certificates at {by_certificate}; bridge and site at {address.host}, port "
        f"{address.port}"
    )
