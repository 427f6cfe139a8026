"""A broker that lets readers in by certificate alone, and TLS clients for it."""

from __future__ import annotations

import ssl
from dataclasses import replace
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, load_der_private_key

from besnik import broker
from besnik.fleet import ca, cert
from besnik.fleet.x509 import Pair, key_pem
from support.broker import RunningBroker, free_port
from support.processes import Processes


class SecureBroker(RunningBroker):
    """A broker with both listeners, and the shop's authority in ``state``."""

    def __init__(self, mosquitto: broker.Mosquitto, state: Path, processes: Processes) -> None:
        self.state = state
        self.authority, _ = ca.obtain(state, ["127.0.0.1"])
        self.readers_port = free_port()
        self._listener = self.authority.listener(host="127.0.0.1", port=self.readers_port)
        super().__init__(
            mosquitto, state / "broker", processes, readers=(), listener=self._listener
        )

    def show(self, other: Pair | None) -> None:
        """Let the broker show another certificate, or its own again, from its next start on."""
        listener = self._listener
        if other:
            folder = self.state
            (folder / "other.crt").write_bytes(other.certificate.public_bytes(Encoding.PEM))
            (folder / "other.key").write_bytes(key_pem(other.key))
            listener = replace(listener, certificate=folder / "other.crt", key=folder / "other.key")
        self._configure(listener)

    def certificates(self, reader: str) -> Path:
        """Return the folder with a reader's files, made if absent."""
        cert.obtain(self.state, reader)
        return cert.folder_of(self.state, reader)

    def door(self, reader: str) -> tuple[int, ssl.SSLContext]:
        """Return port and TLS of a reader with its certificate, made if absent."""
        cert.obtain(self.state, reader)
        return self.readers_port, tls_of(self.state, pair_of(self.state, reader))

    def reader_pair(self, reader: str) -> Pair:
        """Return what a reader has on its flash now."""
        return pair_of(self.state, reader)

    def tls(self, shown: Pair | None) -> ssl.SSLContext:
        """Return the TLS of a client that trusts this shop and shows a certificate, or none."""
        return tls_of(self.state, shown)


def pair_of(state: Path, reader: str) -> Pair:
    """Return key and certificate of a reader."""
    folder = cert.folder_of(state, reader)
    key = load_der_private_key((folder / "reader.key").read_bytes(), None)
    assert isinstance(key, ec.EllipticCurvePrivateKey)
    return Pair(key, x509.load_der_x509_certificate((folder / "reader.der").read_bytes()))


def tls_of(state: Path, shown: Pair | None) -> ssl.SSLContext:
    """Return the TLS of a client that trusts the shop in ``state`` and shows a certificate."""
    context = ssl.create_default_context(cafile=str(state / "ca/ca.crt"))
    if shown:
        file = state / "shown.pem"
        certificate = shown.certificate.public_bytes(Encoding.PEM)
        file.write_bytes(key_pem(shown.key) + certificate)
        context.load_cert_chain(file)
    return context
