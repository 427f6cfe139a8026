"""The demo shop's files: its reader comes in by certificate, or by password where it has to."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509

from besnik import config, demo
from besnik.run.demo import Demo, prepare
from besnik.sim import reader


def prepared(folder: Path, *, plain: bool) -> Demo:
    return prepare(folder, broker_port=1883, readers_port=8883, site_port=8000, plain=plain)


def users_with_passwords(shop: Demo) -> set[str]:
    lines = (shop.folder / "broker/passwords").read_text().splitlines()
    return {line.partition(":")[0] for line in lines}


def broker_of(shop: Demo) -> dict[str, Any]:
    found: Any = shop.reader_config["broker"]
    assert isinstance(found, dict)
    return found


def test_the_reader_has_a_certificate_and_no_password(tmp_path: Path) -> None:
    shop = prepared(tmp_path, plain=False)
    assert broker_of(shop) == {"host": "127.0.0.1", "port": 8883}
    assert users_with_passwords(shop) == {"bridge", "site", "monitor"}
    assert shop.certificates
    shown = x509.load_der_x509_certificate((shop.certificates / "reader.der").read_bytes())
    assert shown.subject.rfc4514_string() == f"CN={demo.READER}"
    assert config.load(shop.settings_file) == shop.settings
    assert not shop.settings.broker.plain


def test_a_plain_reader_has_a_password_and_the_pages_will_warn(tmp_path: Path) -> None:
    shop = prepared(tmp_path, plain=True)
    password = broker_of(shop).pop("password")
    assert len(password) > 20
    assert broker_of(shop) == {"host": "127.0.0.1", "port": 1883, "plain": True}
    assert users_with_passwords(shop) == {"bridge", "site", "monitor", demo.READER}
    assert shop.certificates is None
    assert config.load(shop.settings_file).broker.plain


def test_a_password_of_an_earlier_run_opens_nothing_later(tmp_path: Path) -> None:
    prepared(tmp_path, plain=True)
    assert demo.READER not in users_with_passwords(prepared(tmp_path, plain=False))


def test_authority_and_certificate_outlive_a_run(tmp_path: Path) -> None:
    prepared(tmp_path, plain=False)
    kept = [tmp_path / "ca/ca.crt", *(tmp_path / "readers" / demo.READER).iterdir()]
    before = [file.read_bytes() for file in kept]
    prepared(tmp_path, plain=False)
    assert [file.read_bytes() for file in kept] == before


@pytest.mark.parametrize("plain", [False, True])
def test_the_flash_holds_the_certificates_of_now(
    tmp_path: Path, root: Path, *, plain: bool
) -> None:
    flash = tmp_path / "flash"
    before = prepared(tmp_path / "shop", plain=False)
    reader.stage(flash, dict(before.reader_config), root, before.certificates)
    shop = prepared(tmp_path / "shop", plain=plain)
    reader.stage(flash, dict(shop.reader_config), root, shop.certificates)
    names = {file.name for file in (flash / "cert").glob("*")}
    assert names == (set() if plain else {"ca.der", "reader.der", "reader.key"})
    assert json.loads((flash / "config.json").read_text()) == shop.reader_config
