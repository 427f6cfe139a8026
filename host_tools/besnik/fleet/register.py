"""Which certificates the shop's authority has issued, to whom, until when, and which it revoked."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import msgspec
from cryptography import x509

from besnik.broker import write_private
from besnik.fleet.x509 import Revoked


class CertificateError(RuntimeError):
    """A certificate that cannot be made, read or revoked; the text says what to do."""


class Issued(msgspec.Struct, frozen=True):
    """One certificate of a reader: serial number in hex, until when, since when revoked."""

    reader: str
    serial: str
    until: dt.datetime
    revoked: dt.datetime | None = None


class Register:
    """Every certificate that may still be in somebody's hands, in one file.

    A renewed certificate stays in it: the one before works until it ends, so it has to be
    revoked too when its reader is stolen.
    """

    def __init__(self, file: Path) -> None:
        self._file = file
        try:
            known = msgspec.json.decode(file.read_bytes(), type=list[Issued])
        except FileNotFoundError:
            known = []
        except msgspec.MsgspecError as error:
            raise CertificateError(
                f"{file} cannot be read ({error}): put its backup back; without it no reader "
                "can be revoked"
            ) from error
        self._known = known

    def issued_to(self, reader: str) -> list[Issued]:
        """Return the certificates of one reader, the oldest first."""
        return [each for each in self._known if each.reader == reader]

    def readers(self) -> list[str]:
        """Return every reader that ever got a certificate, by name."""
        return sorted({each.reader for each in self._known})

    def revoked(self) -> list[Revoked]:
        """Return what belongs on the revocation list."""
        return [Revoked(int(one.serial, 16), one.revoked) for one in self._known if one.revoked]

    def is_revoked(self, certificate: x509.Certificate) -> bool:
        """Return whether this certificate is revoked."""
        return certificate.serial_number in {each.serial for each in self.revoked()}

    def add(self, reader: str, certificate: x509.Certificate) -> None:
        """Note a certificate; before it is handed out, so that none is unknown here."""
        serial, until = f"{certificate.serial_number:x}", certificate.not_valid_after_utc
        self._write([*self._known, Issued(reader, serial, until)])

    def revoke(self, reader: str, now: dt.datetime) -> int:
        """Mark every certificate of a reader; return how many were not marked before."""
        new = [each for each in self.issued_to(reader) if each.revoked is None]
        marked = [msgspec.structs.replace(each, revoked=now) for each in new]
        self._write([each for each in self._known if each not in new] + marked)
        return len(new)

    def _write(self, known: list[Issued]) -> None:
        write_private(self._file, msgspec.json.format(msgspec.json.encode(known)).decode())
        self._known = known
