"""The library's own tests, which MicroPython runs, on CPython."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]
FILES = (
    "test_classic",
    "test_iso14443",
    "test_isodep",
    "test_mfrc522",
    "test_selftest",
    "test_type2",
    "test_type4",
)
TIMEOUT_S = 100


@pytest.mark.parametrize("file", FILES)
def test_library_runs_on_cpython(file: str) -> None:
    done = subprocess.run(
        [sys.executable, ROOT / "tests/support/on_cpython.py", file],
        capture_output=True,
        text=True,
        timeout=TIMEOUT_S,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    outcomes: dict[str, str] = json.loads(done.stdout)
    assert outcomes
    assert "".join(outcomes.values()) == ""
