"""``besnik fleet``: what its commands print and return."""

from __future__ import annotations

import datetime as dt
import json
import socket
import sys
from collections.abc import Callable
from pathlib import Path

from cryptography import x509

from besnik import config
from besnik.broker import BrokerError
from besnik.fleet import ca, cert
from besnik.fleet.broker import reader_password
from besnik.fleet.register import CertificateError
from besnik.fleet.x509 import names_of


def make_authority(names: list[str], *, renew: bool) -> int:
    """Make the authority and the broker's certificate, or show them; return the exit status."""
    return _run(lambda settings: _authority(settings, names, renew=renew))


def make_certificate(reader: str, *, renew: bool) -> int:
    """Make a reader's certificate, or show it; return the exit status."""
    return _run(lambda settings: _certificate(settings, reader, renew=renew))


def revoke(reader: str) -> int:
    """Take a reader's certificates back; return the exit status."""
    return _run(lambda settings: _revoked(settings, reader))


def show_password(reader: str) -> int:
    """Make the password of a reader without TLS, or show it; return the exit status."""
    return _run(lambda settings: _password(settings, reader))


def _run(work: Callable[[config.Config], list[str]]) -> int:
    try:
        lines = work(config.load())
    except (BrokerError, CertificateError, config.ConfigError, OSError) as error:
        print(f"besnik fleet: {error}", file=sys.stderr)
        return 1
    print("\n".join(lines))
    return 0


def _authority(settings: config.Config, names: list[str], *, renew: bool) -> list[str]:
    state = Path(settings.state)
    authority, is_new = ca.obtain(state, [*ca.names_for(settings.broker), *names], renew=renew)
    shown = authority.broker_certificate
    lines = [
        f"authority: {authority.folder / 'ca.crt'}, until {_until(authority.pair.certificate)}",
        f"broker: {', '.join(names_of(shown))}; until {_until(shown)}"
        + (" (new: restart the broker)" if is_new else ""),
    ]
    for reader in authority.register.readers():
        *_, last = authority.register.issued_to(reader)
        ending = (
            f"revoked {last.revoked:%Y-%m-%d}" if last.revoked else f"until {last.until:%Y-%m-%d}"
        )
        lines.append(f"reader {reader}: {ending}")
    return lines


def _certificate(settings: config.Config, reader: str, *, renew: bool) -> list[str]:
    state = Path(settings.state)
    certificate, is_new = cert.obtain(state, reader, renew=renew)
    folder = cert.folder_of(state, reader)
    lines = [
        f"reader {reader}: {'new certificate' if is_new else 'certificate'} "
        f"until {_until(certificate)} in {folder}"
    ]
    if is_new:
        files = " ".join(str(folder / name) for name in cert.FILES)
        lines += [
            "copy it to the board:",
            "  mpremote fs mkdir :cert",
            f"  mpremote fs cp {files} :cert/",
        ]
    return lines


def _revoked(settings: config.Config, reader: str) -> list[str]:
    count = cert.revoke(Path(settings.state), reader)
    if not count:
        return [f"reader {reader}: everything was revoked before"]
    return [
        f"reader {reader}: {count} certificate{'s' if count > 1 else ''} revoked; "
        "restart the broker, which ends the reader's connection too"
    ]


def _password(settings: config.Config, reader: str) -> list[str]:
    cert.check_id(reader)
    password = reader_password(settings, reader)
    said = {"host": socket.gethostname(), "port": settings.broker.port, "plain": True}
    return [
        "into the reader's config.json; then restart the broker:",
        f'"broker": {json.dumps({**said, "password": password})}',
    ]


def _until(certificate: x509.Certificate) -> str:
    end = certificate.not_valid_after_utc
    days = (end - dt.datetime.now(dt.UTC)).days
    return f"{end:%Y-%m-%d} ({days} days)"
