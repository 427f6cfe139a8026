"""docs/readers.md says what can be set on a reader: every key, and no other."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from besnik.fleet import settings
from besnik.fleet.settings import SettingsError

BROKER = {"host": "broker.shop", "plain": True, "password": "open sesame"}
TOLD = {"shop": "corner", "reader": "counter-1", "wifi": {"ssid": "Counter"}, "broker": BROKER}


def test_every_setting_of_a_reader_is_on_the_page(root: Path) -> None:
    page = (root / "docs/readers.md").read_text(encoding="utf-8")
    table = page.partition("## Settings")[2].partition("\n## ")[0]
    rows = [line.split("|")[1] for line in table.splitlines() if line.startswith("| `")]
    assert sorted(re.findall(r"`([a-z0-9_.]+)`", " ".join(rows))) == sorted(settings.check(TOLD))


def test_a_setting_that_is_not_there_is_refused_by_its_name() -> None:
    with pytest.raises(SettingsError, match=r"config\.json: tones\.colour: no such key"):
        settings.check({**TOLD, "tones": {"colour": "red"}})
