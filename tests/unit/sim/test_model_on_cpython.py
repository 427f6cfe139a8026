"""The model's checks on CPython: the very functions that also run inside MicroPython."""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

MPY = Path(__file__).resolve().parents[2] / "device/mpy"


def _checks() -> list[Callable[[], None]]:
    """Return the test functions of the files that test the model."""
    found: list[Callable[[], None]] = []
    sys.path.insert(0, str(MPY))
    try:
        for file in sorted(MPY.glob("test_model_*.py")):
            spec = importlib.util.spec_from_file_location(f"on_cpython_{file.stem}", file)
            assert spec is not None and spec.loader is not None
            module = importlib.util.module_from_spec(spec)
            spec.loader.exec_module(module)
            found += [check for name, check in vars(module).items() if name.startswith("test_")]
    finally:
        sys.path.remove(str(MPY))
    return found


@pytest.mark.parametrize("check", _checks(), ids=lambda check: check.__name__)
def test_model(check: Callable[[], None]) -> None:
    """What holds on MicroPython holds on CPython."""
    check()
