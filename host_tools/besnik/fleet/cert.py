"""A reader's key and certificate, in ``{state}/readers/{reader}``, as its flash wants them."""

from __future__ import annotations

import datetime as dt
import re
import shutil
from pathlib import Path
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, load_der_private_key

from besnik.broker import write_private
from besnik.contract import ID_PATTERN, is_host_name
from besnik.fleet import ca
from besnik.fleet import x509 as form
from besnik.fleet.register import CertificateError

# The files that go into the folder ``cert`` of a reader's flash.
FILES: Final = ("ca.der", "reader.der", "reader.key")


def folder_of(state: Path, reader: str) -> Path:
    """Return where a reader's three files are."""
    return state.resolve() / "readers" / reader


def obtain(state: Path, reader: str, *, renew: bool = False) -> tuple[x509.Certificate, bool]:
    """Return a reader's certificate and whether it is new; its files are in ``folder_of``.

    A good one is kept, so that asking again never locks a reader out. CertificateError if the id
    cannot be a reader's or the shop has no authority.
    """
    check_id(reader)
    now = ca.clock()
    with ca.held(state) as folder:
        authority = ca.existing(folder, now)
        target = folder_of(state, reader)
        kept = None if renew else _good(target, authority, now)
        if kept:
            return kept, False
        pair = form.issue_for_reader(authority.pair, reader, now)
        authority.register.add(reader, pair.certificate)
        target.parent.mkdir(mode=0o700, exist_ok=True)
        target.mkdir(mode=0o700, exist_ok=True)
        signer = authority.pair.certificate
        write_private(target / "ca.der", signer.public_bytes(Encoding.DER))
        write_private(target / "reader.key", form.key_der(pair.key))
        write_private(target / "reader.der", pair.certificate.public_bytes(Encoding.DER))
    return pair.certificate, True


def revoke(state: Path, reader: str) -> int:
    """Take back every certificate a reader ever got; return how many were good until now.

    Its files go too, so that the next ``obtain`` makes new ones. The broker refuses the old ones
    from its next start on. CertificateError if the reader never got one.
    """
    now = ca.clock()
    with ca.held(state) as folder:
        authority = ca.existing(folder, now)
        if not authority.register.issued_to(reader):
            known = ", ".join(authority.register.readers()) or "none"
            raise CertificateError(
                f"reader {reader!r} never got a certificate; those who did: {known}"
            )
        count = authority.register.revoke(reader, now)
        authority.write_revocations(now)
        shutil.rmtree(folder_of(state, reader), ignore_errors=True)
    return count


def check_id(reader: str) -> None:
    """Return if it can be the id of a reader; CertificateError says what one looks like."""
    if not re.fullmatch(ID_PATTERN, reader):
        raise CertificateError(
            f"reader id {reader!r} must be 1 to 16 of a-z, 0-9 and hyphen, as in its config.json"
        )
    if is_host_name(reader):
        raise CertificateError(
            f"reader id {reader!r} is taken by the host: its certificate would open "
            "the host's topics; give the reader another id"
        )


def _good(folder: Path, authority: ca.Authority, now: dt.datetime) -> x509.Certificate | None:
    """Return the certificate in a folder if everything there is whole and can be used."""
    try:
        signer, certificate = (
            x509.load_der_x509_certificate((folder / name).read_bytes())
            for name in ("ca.der", "reader.der")
        )
        key = load_der_private_key((folder / "reader.key").read_bytes(), None)
    except (FileNotFoundError, ValueError, TypeError):
        return None
    is_whole = isinstance(key, ec.EllipticCurvePrivateKey) and form.Pair(key, certificate).belongs
    if not is_whole or signer != authority.pair.certificate:
        return None
    if authority.register.is_revoked(certificate) or not ca.is_good(certificate, signer, now):
        return None
    return certificate
