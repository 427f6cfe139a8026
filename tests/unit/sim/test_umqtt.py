"""umqtt.simple comes from the package index once, is checked by its hash, and is then cached."""

from __future__ import annotations

import hashlib
import tarfile
from pathlib import Path

import pytest

from besnik.sim import umqtt


def test_it_is_cached_and_then_needs_no_network(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    library = umqtt.obtain(root / ".besnik/cache")
    monkeypatch.setenv("PIP_INDEX_URL", "http://127.0.0.1:1/simple")
    assert umqtt.obtain(root / ".besnik/cache") == library
    assert "class MQTTClient" in (library / "umqtt/simple.py").read_text(encoding="utf-8")


def test_without_cache_and_network_the_message_says_what_to_do(
    state: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PIP_INDEX_URL", "http://127.0.0.1:1/simple")
    with pytest.raises(umqtt.UmqttError) as refusal:
        umqtt.obtain(state)
    assert "micropython-umqtt.simple 1.3.4" in str(refusal.value)
    assert "package index" in str(refusal.value)
    assert not list(state.iterdir()), "nothing half-made is left"


def test_another_archive_of_that_name_is_refused(
    state: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    name = f"{umqtt.NAME}-{umqtt.VERSION}"
    index = state / "index" / umqtt.NAME.replace(".", "-")
    source = state / name / "umqtt/simple.py"
    for folder in (index, source.parent):
        folder.mkdir(parents=True)
    source.write_text("class MQTTClient: pass\n", encoding="utf-8")
    with tarfile.open(index / f"{name}.tar.gz", "w:gz") as archive:
        archive.add(state / name, arcname=name)
    (index / "index.html").write_text(f'<a href="{name}.tar.gz">{name}.tar.gz</a>')
    monkeypatch.setenv("PIP_INDEX_URL", (state / "index").as_uri())
    with pytest.raises(umqtt.UmqttError) as refusal:
        umqtt.obtain(state / "cache")
    found = hashlib.sha256((index / f"{name}.tar.gz").read_bytes()).hexdigest()
    assert found in str(refusal.value) and umqtt.SHA256 in str(refusal.value)
    assert not list((state / "cache").iterdir())
