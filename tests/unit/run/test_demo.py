"""The demo shop's files: its reader comes in by certificate."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from cryptography import x509

from besnik import broker, config, demo
from besnik.run.demo import Demo, prepare
from besnik.sim import reader


def prepared(folder: Path) -> Demo:
    return prepare(folder, broker_port=1883, readers_port=8883, site_port=8000)


def users_with_passwords(shop: Demo) -> set[str]:
    lines = (shop.folder / "broker/passwords").read_text().splitlines()
    return {line.partition(":")[0] for line in lines}


def broker_of(shop: Demo) -> dict[str, Any]:
    found: Any = shop.reader_config["broker"]
    assert isinstance(found, dict)
    return found


def test_the_reader_has_a_certificate_and_no_password(tmp_path: Path) -> None:
    shop = prepared(tmp_path)
    assert broker_of(shop) == {"host": "127.0.0.1", "port": 8883}
    assert users_with_passwords(shop) == {"bridge", "site", "monitor", "fleet"}
    shown = x509.load_der_x509_certificate((shop.certificates / "reader.der").read_bytes())
    assert shown.subject.rfc4514_string() == f"CN={demo.READER}"
    assert config.load(shop.settings_file) == shop.settings
    assert not shop.settings.broker.plain


def test_a_password_that_the_reader_once_had_opens_nothing(tmp_path: Path) -> None:
    broker.passwords(tmp_path / "broker", [demo.READER])
    assert demo.READER not in users_with_passwords(prepared(tmp_path))


def test_authority_and_certificate_outlive_a_run(tmp_path: Path) -> None:
    prepared(tmp_path)
    kept = [tmp_path / "ca/ca.crt", *(tmp_path / "readers" / demo.READER).iterdir()]
    before = [file.read_bytes() for file in kept]
    prepared(tmp_path)
    assert [file.read_bytes() for file in kept] == before


def test_the_flash_holds_the_certificates_of_now_and_the_settings(
    tmp_path: Path, root: Path
) -> None:
    flash = tmp_path / "flash"
    shop = prepared(tmp_path / "shop")
    (flash / "cert").mkdir(parents=True)
    (flash / "cert/old.der").touch()
    reader.stage(flash, dict(shop.reader_config), root, shop.certificates)
    names = {file.name for file in (flash / "cert").iterdir()}
    assert names == {"ca.der", "reader.der", "reader.key"}
    assert json.loads((flash / "config.json").read_text()) == shop.reader_config

    reader.stage(flash, dict(shop.reader_config), root)
    assert not (flash / "cert").exists()
