"""``python -m besnik.store``: what it does is tested by every database; here, how it fails."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from support.broker import free_port


def store(command: str, environment: dict[str, str], url: str) -> tuple[int, str]:
    done = subprocess.run(
        [sys.executable, "-m", "besnik.store", command],
        env={**environment, "BESNIK_DATABASE_URL": url},
        capture_output=True,
        text=True,
        check=False,
    )
    return done.returncode, done.stderr


def test_a_database_that_is_not_there_is_said(
    environment: dict[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    url = f"postgres://besnik:secret@127.0.0.1:{free_port()}/besnik"
    status, said = store("migrate", environment, url)
    assert status == 1
    assert said.startswith("besnik.store: the database cannot be used")
    assert "Traceback" not in said
    assert "secret" not in said


def test_the_demo_needs_its_tables(environment: dict[str, str], tmp_path: Path) -> None:
    status, said = store("demo", environment, f"sqlite:///{tmp_path}/empty.sqlite3")
    assert status == 1
    assert "no such table" in said


def test_a_wrong_url_is_named(environment: dict[str, str]) -> None:
    status, said = store("migrate", environment, "mysql://x")
    assert status == 2
    assert "database.url" in said
