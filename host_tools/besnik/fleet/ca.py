"""The shop's certificate authority and the broker's certificate, in ``{state}/ca``.

A shop vouches for itself: the readers trust this one authority, and the broker lets in whom it
has signed. Whoever holds ``ca.key`` can make readers, so it never leaves this folder.
"""

from __future__ import annotations

import contextlib
import datetime as dt
import fcntl
import socket
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, load_pem_private_key

from besnik import broker, config
from besnik.broker import write_private
from besnik.fleet import x509 as form
from besnik.fleet.register import CertificateError, Register

# Made anew by the next call when less is left: somebody looks into a shop once a season.
RENEW_BEFORE: Final = dt.timedelta(days=90)
_CLOCK_MIN: Final = dt.datetime(2025, 1, 1, tzinfo=dt.UTC)  # before this was written


class Authority:
    """One shop's authority: its key and certificate, its register, its files in ``folder``."""

    def __init__(self, folder: Path, pair: form.Pair) -> None:
        self.folder = folder
        self.pair = pair
        self.register = Register(folder / "issued.json")

    @property
    def broker_certificate(self) -> x509.Certificate:
        """The certificate that the broker shows."""
        return x509.load_pem_x509_certificate((self.folder / "broker.crt").read_bytes())

    def listener(self, *, host: str, port: int) -> broker.ReaderListener:
        """Return where the broker takes readers with certificates, and by which files."""
        return broker.ReaderListener(
            host=host,
            port=port,
            authority=self.folder / "ca.crt",
            certificate=self.folder / "broker.crt",
            key=self.folder / "broker.key",
            revoked=self.folder / "revoked.pem",
        )

    def write_revocations(self, now: dt.datetime) -> None:
        """Write the list of revoked certificates; the broker reads it when it starts."""
        signed = form.sign_revocations(self.pair, self.register.revoked(), now)
        write_private(self.folder / "revoked.pem", signed)


def names_for(address: config.Broker) -> list[str]:
    """Return the names by which a broker can be reached: this machine's and the settings'."""
    host = socket.gethostname().lower()
    machine = [name for name in (host, f"{host}.local") if form.is_name(name)]
    listens = [name for name in (address.host, address.readers_host) if not _is_every(name)]
    return list(dict.fromkeys(["localhost", "127.0.0.1", *machine, *listens, *address.names]))


def _is_every(host: str) -> bool:
    return host in ("", "0.0.0.0", "::")


def clock() -> dt.datetime:
    """Return the time now; CertificateError if this machine's clock was never set."""
    now = dt.datetime.now(dt.UTC).replace(microsecond=0)
    if now < _CLOCK_MIN:
        raise CertificateError(f"this machine's clock says {now:%Y-%m-%d}: set it first")
    return now


@contextlib.contextmanager
def held(state: Path) -> Iterator[Path]:
    """Yield the authority's folder; two commands at once wait for each other."""
    folder = state.resolve() / "ca"
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    with (folder / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield folder


def obtain(state: Path, names: Iterable[str], *, renew: bool = False) -> tuple[Authority, bool]:
    """Return the shop's authority, made if absent, and whether the broker's certificate is new.

    ``names`` are host names and addresses by which readers reach the broker. The ones of an
    earlier call are kept, so that no reader loses its broker over a forgotten option.
    """
    now, wanted = clock(), list(names)
    for name in wanted:
        if not form.is_name(name):
            raise CertificateError(
                f"broker name {name!r} must be an IP address or a host name of letters, digits, "
                "hyphens and dots (in its ASCII form, xn--…)"
            )
    with held(state) as folder:
        # With a broker's certificate there was an authority: its key may still be there.
        if not (folder / "ca.crt").exists() and not (folder / "broker.crt").exists():
            _make(folder, now)
        authority = _load(folder, now)
        is_new = _certify_broker(authority, wanted, now, renew=renew)
        # At every call: a broker that is told of a list and finds none does not start.
        authority.write_revocations(now)
    return authority, is_new


def existing(folder: Path, now: dt.datetime) -> Authority:
    """Return the authority in a ``held`` folder; CertificateError if there is none."""
    if not (folder / "ca.crt").exists():
        raise CertificateError("this shop has no certificate authority yet: run besnik fleet ca")
    return _load(folder, now)


def _make(folder: Path, now: dt.datetime) -> None:
    pair = form.make_authority(now)
    write_private(folder / "ca.key", form.key_pem(pair.key))
    write_private(folder / "ca.crt", pair.certificate.public_bytes(Encoding.PEM))


def _load(folder: Path, now: dt.datetime) -> Authority:
    pair = _pair(folder / "ca.key", folder / "ca.crt")
    if pair is None:
        raise CertificateError(
            f"{folder}: ca.crt and ca.key are not a pair, or one is missing: put both back from "
            "a backup; or remove the folder and give every reader a new certificate"
        )
    if pair.certificate.not_valid_after_utc <= now:
        raise CertificateError(
            f"the authority in {folder} ended on {pair.certificate.not_valid_after_utc:%Y-%m-%d}: "
            "remove the folder and give every reader a new certificate"
        )
    return Authority(folder, pair)


def _certify_broker(
    authority: Authority, names: list[str], now: dt.datetime, *, renew: bool
) -> bool:
    folder, signer = authority.folder, authority.pair.certificate
    pair = _pair(folder / "broker.key", folder / "broker.crt")
    before = form.names_of(pair.certificate) if pair else []
    together = list(dict.fromkeys([*before, *(name.lower() for name in names)]))
    if not together:
        raise CertificateError("the broker needs a name: give one with --name")
    if pair and not renew and before == together and is_good(pair.certificate, signer, now):
        return False
    pair = form.issue_for_broker(authority.pair, together, now)
    write_private(folder / "broker.key", form.key_pem(pair.key))
    write_private(folder / "broker.crt", pair.certificate.public_bytes(Encoding.PEM))
    return True


def is_good(certificate: x509.Certificate, signer: x509.Certificate, now: dt.datetime) -> bool:
    """Return whether a certificate is this authority's and has a season left, or all there is."""
    until = certificate.not_valid_after_utc
    is_long = until > now + RENEW_BEFORE or until >= signer.not_valid_after_utc
    return is_long and form.is_signed_by(certificate, signer)


def _pair(key_file: Path, certificate_file: Path) -> form.Pair | None:
    """Return key and certificate, None if they cannot be read or do not belong together."""
    try:
        key = load_pem_private_key(key_file.read_bytes(), None)
        certificate = x509.load_pem_x509_certificate(certificate_file.read_bytes())
    except (FileNotFoundError, ValueError, TypeError):
        return None
    if not isinstance(key, ec.EllipticCurvePrivateKey):
        return None
    pair = form.Pair(key, certificate)
    return pair if pair.belongs else None
