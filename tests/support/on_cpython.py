"""Runs device tests of ``lib/`` on CPython: ``python on_cpython.py test_iso14443``; prints JSON.

A process of its own, because the library's modules have names that others have too.
"""

from __future__ import annotations

import asyncio
import importlib
import json
import sys
import traceback
import types
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
FOLDERS = ("tests/device/mpy", "lib", "host_tools/besnik/sim/shims", "", "host_tools")
# Asks MicroPython's own garbage collector.
ELSEWHERE = ("test_empty_poll_allocates_nothing",)


def main() -> None:
    """Run every test function of one file; print each name with its traceback or nothing."""
    # The stand-in of lib/README.md.
    sys.modules["micropython"] = types.ModuleType("micropython")
    sys.modules["micropython"].__dict__["const"] = lambda value: value
    sys.path[:0] = [str(ROOT / folder) for folder in FOLDERS]
    module = importlib.import_module(sys.argv[1])
    outcomes = {
        name: outcome(function)
        for name, function in vars(module).items()
        if name.startswith("test_") and name not in ELSEWHERE
    }
    print(json.dumps(outcomes))


def outcome(function: object) -> str:
    """Return what went wrong, or an empty text."""
    assert callable(function)
    try:
        result = function()
        if asyncio.iscoroutine(result):
            asyncio.run(result)
    except Exception:
        return traceback.format_exc()
    return ""


if __name__ == "__main__":
    main()
