"""The device's modules on CPython."""

from __future__ import annotations

import sys
from pathlib import Path
from types import ModuleType

ROOT = Path(__file__).resolve().parents[2]


def _stand_in() -> ModuleType:
    """Return what the device's code needs of MicroPython's own ``micropython`` module."""
    module = ModuleType("micropython")
    vars(module)["const"] = lambda value: value
    return module


sys.modules.setdefault("micropython", _stand_in())
# Behind everything else: the files of lib/ have short names.
sys.path += [str(ROOT / "lib"), str(ROOT)]
