"""Certificates as Besnik writes them: ECDSA P-256, few extensions, valid from 2000 on.

P-256 because an ESP32 runs out of memory in RSA key operations and its mbedTLS has neither
Curve25519 nor Brainpool (firmware.md, section 6).
"""

from __future__ import annotations

import datetime as dt
import ipaddress
import re
from collections.abc import Iterable, Sequence
from typing import Final, NamedTuple

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

# The clock of an ESP32 starts here, and a certificate that begins later is refused with "validity
# starts in the future" (firmware.md, section 7): a reader that reaches no time server can still
# speak TLS. What a stolen key may do is ended by revocation, not by dates.
NOT_BEFORE: Final = dt.datetime(2000, 1, 1, tzinfo=dt.UTC)
# A reader hangs on a counter for years and nobody thinks of it: as long as such a board lasts.
CERTIFICATE_DAYS: Final = 3653
AUTHORITY_DAYS: Final = 2 * CERTIFICATE_DAYS

_LABEL = r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?"
_HOST_NAME = re.compile(rf"(?=.{{1,253}}\Z){_LABEL}(\.{_LABEL})*\Z")


class Pair(NamedTuple):
    """A private key and the certificate that names it."""

    key: ec.EllipticCurvePrivateKey
    certificate: x509.Certificate

    @property
    def belongs(self) -> bool:
        """Whether the certificate is of this very key."""
        return self.certificate.public_key() == self.key.public_key()


class Revoked(NamedTuple):
    """One line of a revocation list: a serial number and since when."""

    serial: int
    since: dt.datetime


def is_name(text: str) -> bool:
    """Return whether a certificate may name it: an IP address, or a host name in ASCII."""
    return isinstance(_general_name(text), x509.IPAddress) or bool(_HOST_NAME.match(text.lower()))


def make_authority(now: dt.datetime) -> Pair:
    """Return a new authority: it may sign certificates of readers and brokers, and nothing else."""
    key = ec.generate_private_key(ec.SECP256R1())
    identifier = x509.SubjectKeyIdentifier.from_public_key(key.public_key())
    # Two shops' authorities must not bear one name: a broker looks a signer up by it.
    name = _common_name(f"Besnik CA {identifier.digest.hex()[:8]}")
    builder = (
        _builder(name, name, key.public_key(), now + dt.timedelta(days=AUTHORITY_DAYS))
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(_key_usage(signs_certificates=True), critical=True)
        .add_extension(identifier, critical=False)
    )
    return Pair(key, builder.sign(key, hashes.SHA256()))


def issue_for_reader(authority: Pair, reader: str, now: dt.datetime) -> Pair:
    """Return a key and certificate whose common name is the reader's id; for clients only."""
    return _issue(authority, reader, ExtendedKeyUsageOID.CLIENT_AUTH, (), now)


def issue_for_broker(authority: Pair, names: Sequence[str], now: dt.datetime) -> Pair:
    """Return a key and certificate for the broker under these names; for servers only.

    A reader's key is thus of no use to pose as the broker, nor the broker's to pose as a
    reader; the space in the common name is in no reader's id.
    """
    return _issue(authority, "besnik broker", ExtendedKeyUsageOID.SERVER_AUTH, names, now)


def sign_revocations(authority: Pair, revoked: Iterable[Revoked], now: dt.datetime) -> bytes:
    """Return the revocation list as PEM; good for as long as the authority.

    With a list that has run out a broker refuses every reader, and nobody is there to renew it.
    """
    builder = (
        x509.CertificateRevocationListBuilder()
        .issuer_name(authority.certificate.subject)
        .last_update(NOT_BEFORE if now < NOT_BEFORE else now - dt.timedelta(days=1))
        .next_update(authority.certificate.not_valid_after_utc)
    )
    for serial, since in revoked:
        builder = builder.add_revoked_certificate(
            x509.RevokedCertificateBuilder().serial_number(serial).revocation_date(since).build()
        )
    return builder.sign(authority.key, hashes.SHA256()).public_bytes(Encoding.PEM)


def is_signed_by(certificate: x509.Certificate, authority: x509.Certificate) -> bool:
    """Return whether this authority's key signed the certificate."""
    try:
        certificate.verify_directly_issued_by(authority)
    except (ValueError, TypeError, InvalidSignature):
        return False
    return True


def names_of(certificate: x509.Certificate) -> list[str]:
    """Return the names and addresses of a broker's certificate, as they were asked for."""
    try:
        found = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName)
    except x509.ExtensionNotFound:
        return []
    return [str(each.value) for each in found.value]


def key_pem(key: ec.EllipticCurvePrivateKey) -> bytes:
    """Return the key as PEM (PKCS#8), without a password: a service starts unattended."""
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


def key_der(key: ec.EllipticCurvePrivateKey) -> bytes:
    """Return the key as DER (SEC 1): 121 bytes, of which PKCS#8 would be 138.

    A reader gets DER because MicroPython's Unix port takes nothing else (simulation.md,
    section 4); littlefs keeps a file of up to 128 bytes inside its directory.
    """
    return key.private_bytes(Encoding.DER, PrivateFormat.TraditionalOpenSSL, NoEncryption())


def _issue(
    authority: Pair, name: str, usage: x509.ObjectIdentifier, names: Sequence[str], now: dt.datetime
) -> Pair:
    key = ec.generate_private_key(ec.SECP256R1())
    signer = authority.certificate
    # A certificate that outlives its authority is refused all the same.
    until = min(now + dt.timedelta(days=CERTIFICATE_DAYS), signer.not_valid_after_utc)
    builder = (
        _builder(_common_name(name), signer.subject, key.public_key(), until)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(_key_usage(signs_certificates=False), critical=True)
        .add_extension(x509.ExtendedKeyUsage([usage]), critical=False)
        .add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_public_key(authority.key.public_key()),
            critical=False,
        )
    )
    if names:
        alternatives = x509.SubjectAlternativeName([_general_name(each) for each in names])
        builder = builder.add_extension(alternatives, critical=False)
    return Pair(key, builder.sign(authority.key, hashes.SHA256()))


def _builder(
    subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePublicKey, until: dt.datetime
) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(NOT_BEFORE)
        .not_valid_after(until.replace(microsecond=0))
    )


def _common_name(text: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])


def _general_name(text: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(text))
    except ValueError:
        return x509.DNSName(text.lower()) if text.isascii() else x509.DNSName("")


def _key_usage(*, signs_certificates: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not signs_certificates,
        key_cert_sign=signs_certificates,
        crl_sign=signs_certificates,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        encipher_only=False,
        decipher_only=False,
    )
