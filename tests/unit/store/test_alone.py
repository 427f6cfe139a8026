"""One bridge an SQLite file; any number at PostgreSQL."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from besnik.config import ConfigError
from besnik.store.alone import only_bridge
from support.store import settings_for


def test_a_second_one_is_told_who_is_there_until_the_first_has_left(tmp_path: Path) -> None:
    settings = settings_for(f"sqlite:///{tmp_path}/shop/besnik.sqlite3")
    with only_bridge(settings):
        refused = pytest.raises(ConfigError, match=rf"process {os.getpid()}\) works on .*besnik")
        with refused, only_bridge(settings, patience_s=0.1):
            raise AssertionError("there are two")
    with only_bridge(settings, patience_s=0):
        pass


def test_other_files_do_not_matter(tmp_path: Path) -> None:
    with (
        only_bridge(settings_for(f"sqlite:///{tmp_path}/a.sqlite3")),
        only_bridge(settings_for(f"sqlite:///{tmp_path}/b.sqlite3")),
    ):
        pass


def test_at_postgresql_there_may_be_several() -> None:
    settings = settings_for("postgres://u@127.0.0.1/besnik")
    with only_bridge(settings), only_bridge(settings):
        pass


def test_where_nothing_can_be_written_there_is_nothing_to_lock(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.write_text("", encoding="utf-8")
    with only_bridge(settings_for(f"sqlite:///{file}/besnik.sqlite3")):
        pass
