"""Adapters of any installed package are found, and what is wrong with one is said."""

from __future__ import annotations

from pathlib import Path

import pytest

from besnik.crm import find
from besnik.crm.foreign import CrmSettingsError
from besnik.store.models import CrmSource, Program
from support.paper_crm import PaperCrm

PLUGIN = Path(__file__).resolve().parents[2] / "support/crm_plugin"
_METADATA = "Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n"


def publish(folder: Path, name: str, adapter: str, target: str) -> None:
    """Install a package that offers one adapter."""
    made = folder / f"{name.replace('-', '_')}-1.0.dist-info"
    made.mkdir()
    (made / "METADATA").write_text(_METADATA.format(name=name))
    (made / "entry_points.txt").write_text(f"[besnik.crm]\n{adapter} = {target}\n")


def test_an_adapter_that_a_stranger_publishes_is_found(
    orm: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.syspath_prepend(str(PLUGIN))
    monkeypatch.setenv("BESNIK_CRM_KEY", "k")
    assert "paper" in find.adapters()
    source = CrmSource(
        program=Program.objects.all()[0], adapter="paper", settings={"url": "http://127.0.0.1:1"}
    )
    assert isinstance(find.open_source(source), PaperCrm)


def test_one_that_is_not_installed_is_named() -> None:
    with pytest.raises(CrmSettingsError, match="no adapter for 'papyrus' is installed: choose"):
        find.adapter("papyrus")


def test_one_that_cannot_be_loaded_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    publish(tmp_path, "broken-crm", "broken", "besnik_no_such_module:Crm")
    monkeypatch.syspath_prepend(str(tmp_path))
    with pytest.raises(CrmSettingsError, match=r"cannot be loaded \(ModuleNotFoundError\)"):
        find.adapter("broken")


def test_nobody_takes_the_name_of_one_of_our_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    publish(tmp_path, "a-thief", "tryton", "thief:Crm")
    monkeypatch.syspath_prepend(str(tmp_path))
    assert find.adapters()["tryton"].value.startswith("besnik.")
