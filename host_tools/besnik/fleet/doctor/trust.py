"""The certificates on a reader, held against what this shop has issued."""

from __future__ import annotations

import datetime as dt
import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID

from besnik.fleet import ca, cert
from besnik.fleet.doctor.finding import Finding, ok, wrong
from besnik.fleet.register import CertificateError
from besnik.fleet.x509 import is_signed_by, names_of


class OnBoard(msgspec.Struct, frozen=True, array_like=True):
    """The three files of a reader: what it says of them itself, and each in hex.

    Of the key there is a SHA-256 only.
    """

    problem: str
    authority: str
    certificate: str
    key_sha256: str


def judge(found: OnBoard, settings: Mapping[str, Any], state: Path) -> Finding:
    """Return what is wrong with a reader's certificate and key, or with the broker's."""
    reader = settings["reader"]
    renew = f"`besnik fleet flash {reader}` writes them anew"
    if found.problem:
        return wrong("certificate", found.problem, renew)
    try:
        with ca.held(state) as folder:
            now = ca.clock()
            authority = ca.existing(folder, now)
    except CertificateError as error:
        return wrong("certificate", str(error), "run this where the shop's authority is kept")
    signer = authority.pair.certificate
    if bytes.fromhex(found.authority) != signer.public_bytes(Encoding.DER):
        return wrong("certificate", "the reader trusts another shop's authority", renew)
    shown = x509.load_der_x509_certificate(bytes.fromhex(found.certificate))
    problem = _of_reader(shown, signer, reader, now)
    if problem or authority.register.is_revoked(shown):
        says = problem or "the reader's certificate was revoked"
        return wrong("certificate", says, f"`besnik fleet cert {reader} --renew`, then {renew}")
    key = cert.folder_of(state, reader) / "reader.key"
    if key.exists() and hashlib.sha256(key.read_bytes()).hexdigest() != found.key_sha256:
        return wrong("certificate", "the key on the reader is another than was issued", renew)
    return judge_broker(authority, settings["broker.host"], f"until {_day(shown)}, signed here")


def judge_issued(settings: Mapping[str, Any], state: Path) -> Finding:
    """Return what is wrong with the certificate that this shop has issued to a reader."""
    reader = settings["reader"]
    try:
        with ca.held(state) as folder:
            authority = ca.existing(folder, ca.clock())
    except CertificateError as error:
        return wrong("certificate", str(error), "run this where the shop's authority is kept")
    issued = authority.register.issued_to(reader)
    if not issued or issued[-1].revoked:
        says = "was revoked" if issued else "was never issued"
        return wrong(
            "certificate",
            f"the reader's certificate {says}",
            f"`besnik fleet cert {reader} --renew`, then `besnik fleet flash {reader}`",
        )
    return judge_broker(authority, settings["broker.host"], f"until {issued[-1].until:%Y-%m-%d}")


def judge_broker(authority: ca.Authority, host: str, says: str) -> Finding:
    """Return whether the broker's certificate is good for the name by which readers reach it."""
    names = names_of(authority.broker_certificate)
    if host.lower() not in names:
        return wrong(
            "certificate",
            f"the broker's certificate is good for {', '.join(names)}, not for broker.host ="
            f" {host!r}",
            f"`besnik fleet ca --name {host}`, then restart the broker",
        )
    return ok("certificate", says)


def _of_reader(
    shown: x509.Certificate, signer: x509.Certificate, reader: str, now: dt.datetime
) -> str:
    """Return what is wrong with a reader's own certificate, empty if nothing is."""
    if not is_signed_by(shown, signer):
        return "the reader's certificate is of another authority"
    names = [str(name.value) for name in shown.subject.get_attributes_for_oid(NameOID.COMMON_NAME)]
    if names != [reader]:
        return f"the reader's certificate is that of {', '.join(names)}, not of {reader}"
    if shown.not_valid_after_utc <= now:
        return f"the reader's certificate ended on {_day(shown)}"
    return ""


def _day(shown: x509.Certificate) -> str:
    return f"{shown.not_valid_after_utc:%Y-%m-%d}"
