"""``besnik fleet``: the shop's authority, its broker's certificate, its readers'."""

from __future__ import annotations

import datetime as dt
import re
import shutil
import stat
from collections.abc import Callable
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import load_der_private_key
from cryptography.x509.oid import NameOID

from besnik.cli import main
from besnik.contract import HOST_USERS
from besnik.fleet import ca, cert
from besnik.fleet import x509 as form


@pytest.fixture
def shop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The state folder of a shop in whose folder the commands run."""
    monkeypatch.delenv("BESNIK_CONFIG", raising=False)
    monkeypatch.chdir(tmp_path)
    Path("besnik.toml").write_text('state = "state"\n[broker]\nnames = ["till.shop.example"]\n')
    return tmp_path / "state"


Said = Callable[..., str]


@pytest.fixture
def fleet(shop: Path, capsys: pytest.CaptureFixture[str]) -> Said:
    """Runs a command that works and returns what it printed."""

    def run(*words: str) -> str:
        status = main(["fleet", *words])
        printed = capsys.readouterr()
        assert (status, printed.err) == (0, "")
        return printed.out

    return run


@pytest.fixture
def refusal(shop: Path, capsys: pytest.CaptureFixture[str]) -> Said:
    """Runs a command that does not work and returns its one line of complaint."""

    def run(*words: str) -> str:
        assert main(["fleet", *words]) == 1
        printed = capsys.readouterr()
        assert printed.out == ""
        assert printed.err.count("\n") == 1
        return printed.err

    return run


def reader_certificate(shop: Path, reader: str = "counter-1") -> x509.Certificate:
    return x509.load_der_x509_certificate((shop / "readers" / reader / "reader.der").read_bytes())


def authority_certificate(shop: Path) -> x509.Certificate:
    return x509.load_pem_x509_certificate((shop / "ca/ca.crt").read_bytes())


def broker_certificate(shop: Path) -> x509.Certificate:
    return x509.load_pem_x509_certificate((shop / "ca/broker.crt").read_bytes())


def revoked(shop: Path) -> set[int]:
    held = x509.load_pem_x509_crl((shop / "ca/revoked.pem").read_bytes())
    assert held.is_signature_valid(authority_certificate(shop).public_key())  # type: ignore[arg-type] # ours is EC
    return {each.serial_number for each in held}


def test_a_reader_gets_a_key_and_a_certificate_in_its_name(shop: Path, fleet: Said) -> None:
    fleet("ca")
    said = fleet("cert", "counter-1")
    certificate, signer = reader_certificate(shop), authority_certificate(shop)
    folder = shop / "readers/counter-1"

    certificate.verify_directly_issued_by(signer)
    (name,) = certificate.subject
    assert (name.oid, name.value) == (NameOID.COMMON_NAME, "counter-1")
    assert x509.load_der_x509_certificate((folder / "ca.der").read_bytes()) == signer
    key = load_der_private_key((folder / "reader.key").read_bytes(), None)
    assert isinstance(key, ec.EllipticCurvePrivateKey)
    assert key.curve.name == "secp256r1"
    assert key.public_key() == certificate.public_key()
    assert f"until {certificate.not_valid_after_utc:%Y-%m-%d} (365" in said
    assert "mpremote fs cp" in said
    # What littlefs keeps inside a directory entry, and what a handshake has to carry.
    assert (folder / "reader.key").stat().st_size <= 128
    assert (folder / "reader.der").stat().st_size <= 450


def test_it_is_good_on_a_clock_that_was_never_set_and_for_as_long_as_a_board_lasts(
    shop: Path, fleet: Said
) -> None:
    fleet("ca")
    fleet("cert", "counter-1")
    now = dt.datetime.now(dt.UTC)
    for certificate in (
        authority_certificate(shop),
        broker_certificate(shop),
        reader_certificate(shop),
    ):
        assert certificate.not_valid_before_utc == dt.datetime(2000, 1, 1, tzinfo=dt.UTC)
        assert certificate.not_valid_after_utc > now + dt.timedelta(days=3650)


def test_the_broker_is_certified_for_settings_machine_and_options(shop: Path, fleet: Said) -> None:
    assert "(new: restart the broker)" in fleet("ca", "--name", "192.0.2.7")
    names = form.names_of(broker_certificate(shop))
    assert {"127.0.0.1", "localhost", "till.shop.example", "192.0.2.7"} <= set(names)

    fleet("ca", "--name", "Broker.Shop.Example")  # the names of before stay
    assert form.names_of(broker_certificate(shop)) == [*names, "broker.shop.example"]


def test_the_same_again_changes_nothing_and_renew_does(shop: Path, fleet: Said) -> None:
    fleet("ca")
    fleet("cert", "counter-1")
    before = {
        file: file.read_bytes()
        for file in shop.rglob("*")
        if "revoked" not in file.name and file.is_file()
    }
    assert "new" not in fleet("ca")
    assert "new" not in fleet("cert", "counter-1")
    assert {file: file.read_bytes() for file in before} == before

    fleet("ca", "--renew")
    fleet("cert", "counter-1", "--renew")
    changed = {file.name for file in before if file.read_bytes() != before[file]}
    assert changed == {"broker.crt", "broker.key", "issued.json", "reader.der", "reader.key"}


def test_only_the_owner_reads_keys(shop: Path, fleet: Said) -> None:
    fleet("ca")
    fleet("cert", "counter-1")
    for name in ("ca/ca.key", "ca/broker.key", "readers/counter-1/reader.key"):
        assert stat.S_IMODE((shop / name).stat().st_mode) == 0o600
    for name in ("ca", "readers", "readers/counter-1"):
        assert stat.S_IMODE((shop / name).stat().st_mode) == 0o700


def test_revoking_takes_back_renewed_ones_too_and_the_reader_can_be_made_anew(
    shop: Path, fleet: Said
) -> None:
    fleet("ca")
    for reader in ("counter-1", "counter-2"):
        fleet("cert", reader)
    first = reader_certificate(shop).serial_number
    fleet("cert", "counter-1", "--renew")
    second = reader_certificate(shop).serial_number
    assert revoked(shop) == set()

    assert "2 certificates revoked; restart the broker" in fleet("revoke", "counter-1")
    assert revoked(shop) == {first, second}
    assert re.search(r"reader counter-1: revoked \d{4}-\d\d-\d\d", fleet("ca"))
    assert "before" in fleet("revoke", "counter-1")

    assert "new certificate" in fleet("cert", "counter-1")
    assert revoked(shop) == {first, second}
    assert re.search(r"reader counter-1: until \d{4}-\d\d-\d\d", fleet("ca"))


@pytest.mark.parametrize("broken", ["reader.der", "reader.key", "ca.der"])
@pytest.mark.parametrize("content", [None, b"", b"\x30\x82"])
def test_a_spoilt_file_of_a_reader_is_made_anew(
    shop: Path, fleet: Said, broken: str, content: bytes | None
) -> None:
    fleet("ca")
    fleet("cert", "counter-1")
    file = shop / "readers/counter-1" / broken
    file.unlink()
    if content is not None:
        file.write_bytes(content)
    assert "new certificate" in fleet("cert", "counter-1")
    assert "new" not in fleet("cert", "counter-1")


def test_one_that_ends_this_season_is_made_anew(
    shop: Path, fleet: Said, monkeypatch: pytest.MonkeyPatch
) -> None:
    fleet("ca")
    fleet("cert", "counter-1")
    end = reader_certificate(shop).not_valid_after_utc
    monkeypatch.setattr(ca, "clock", lambda: end - dt.timedelta(days=91))
    assert "new" not in fleet("cert", "counter-1")
    monkeypatch.setattr(ca, "clock", lambda: end - dt.timedelta(days=89))
    assert "new" in fleet("cert", "counter-1")
    assert "new" in fleet("ca")
    # Near its authority's end nothing longer can be had, so it is not asked for again.
    monkeypatch.setattr(
        ca, "clock", lambda: authority_certificate(shop).not_valid_after_utc - dt.timedelta(days=9)
    )
    assert "new" in fleet("cert", "counter-1")
    assert "new" not in fleet("cert", "counter-1")


def test_an_authority_that_ended_says_so(
    shop: Path, fleet: Said, refusal: Said, monkeypatch: pytest.MonkeyPatch
) -> None:
    fleet("ca")
    end = authority_certificate(shop).not_valid_after_utc
    monkeypatch.setattr(ca, "clock", lambda: end)
    assert f"ended on {end:%Y-%m-%d}" in refusal("ca")
    assert f"ended on {end:%Y-%m-%d}" in refusal("cert", "counter-1")


def test_a_certificate_of_an_earlier_authority_is_replaced(shop: Path, fleet: Said) -> None:
    fleet("ca")
    fleet("cert", "counter-1")
    shutil.rmtree(shop / "ca")
    fleet("ca")
    assert "new certificate" in fleet("cert", "counter-1")
    reader_certificate(shop).verify_directly_issued_by(authority_certificate(shop))


REFUSED = [
    (["cert", "Counter_1"], "reader id 'Counter_1' must be 1 to 16 of a-z, 0-9 and hyphen"),
    (["cert", "+"], "reader id '+' must be"),
    (["cert", "a" * 17], "must be 1 to 16"),
    (["cert", "counter-1\n"], "must be 1 to 16"),
    (["cert", ""], "must be 1 to 16"),
    *((["cert", user], "is taken by the host") for user in HOST_USERS),
    (["cert", "besnik-bridge"], "is taken by the host"),
    (["revoke", "counter-2"], "never got a certificate; those who did: counter-1"),
    (["revoke", "../ca"], "never got a certificate"),
    (["ca", "--name", "the shop"], "broker name 'the shop' must be an IP address or a host name"),
    (["ca", "--name", "καφές.gr"], "xn--"),
    (["ca", "--name", "*.shop.example"], "must be an IP address or a host name"),
    (["ca", "--name", ""], "must be an IP address or a host name"),
]


@pytest.mark.parametrize(("words", "complaint"), REFUSED, ids=[" ".join(w) for w, _ in REFUSED])
def test_what_cannot_be_is_refused_with_what_can(
    shop: Path, fleet: Said, refusal: Said, words: list[str], complaint: str
) -> None:
    fleet("ca")
    fleet("cert", "counter-1")
    before = sorted(shop.rglob("*"))
    assert complaint in refusal(*words)
    assert sorted(shop.rglob("*")) == before


@pytest.mark.parametrize("words", [["cert", "counter-1"], ["revoke", "counter-1"]])
def test_without_an_authority_the_way_to_one_is_named(refusal: Said, words: list[str]) -> None:
    assert "run besnik fleet ca" in refusal(*words)


@pytest.mark.parametrize("lost", ["ca.key", "ca.crt"])
def test_half_an_authority_is_never_overwritten(
    shop: Path, fleet: Said, refusal: Said, lost: str
) -> None:
    fleet("ca")
    (shop / "ca" / lost).unlink()
    kept = {file: file.read_bytes() for file in (shop / "ca").iterdir()}
    assert "put both back from a backup" in refusal("ca")
    assert {file: file.read_bytes() for file in kept} == kept


def test_a_start_that_was_cut_off_is_finished(shop: Path, fleet: Said) -> None:
    fleet("ca")
    for name in ("ca.crt", "broker.crt", "broker.key", "revoked.pem"):
        (shop / "ca" / name).unlink()
    fleet("ca")
    fleet("cert", "counter-1")
    reader_certificate(shop).verify_directly_issued_by(authority_certificate(shop))


def test_a_register_that_cannot_be_read_is_not_forgotten(
    shop: Path, fleet: Said, refusal: Said
) -> None:
    fleet("ca")
    fleet("cert", "counter-1")
    (shop / "ca/issued.json").write_text("[")
    assert "put its backup back" in refusal("revoke", "counter-1")
    assert "put its backup back" in refusal("cert", "counter-1", "--renew")


def test_a_clock_that_was_never_set_makes_no_certificates(
    refusal: Said, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Unset(dt.datetime):
        @classmethod
        def now(cls, tz: dt.tzinfo | None = None) -> Unset:
            return cls(1970, 1, 1, tzinfo=tz)

    monkeypatch.setattr(ca.dt, "datetime", Unset)
    assert "clock says 1970-01-01: set it first" in refusal("ca")


def test_a_certificate_ends_with_its_authority() -> None:
    late = dt.datetime(2046, 1, 1, tzinfo=dt.UTC)
    authority = form.make_authority(dt.datetime(2027, 1, 1, tzinfo=dt.UTC))
    pair = form.issue_for_reader(authority, "counter-1", late)
    assert pair.certificate.not_valid_after_utc == authority.certificate.not_valid_after_utc


def test_a_folder_that_cannot_be_written_is_named(shop: Path, refusal: Said) -> None:
    shop.write_text("a file where the state folder should be")
    assert "state" in refusal("ca")


def test_the_files_are_those_of_the_flash() -> None:
    assert cert.FILES == ("ca.der", "reader.der", "reader.key")
