"""Collects ``mpy/test_*.py`` and runs each function in MicroPython, as a pytest item of its own."""

from __future__ import annotations

import ast
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from support.device import Device, DeviceError, Settings

MPY = Path(__file__).resolve().parent / "mpy"


class DeviceFile(pytest.File):
    """One test file; its process is started by the first function that runs."""

    device: Device | None = None

    def collect(self) -> Iterator[pytest.Item]:
        """Yield the file's test functions, found without importing it here."""
        tree = ast.parse(self.path.read_text(encoding="utf-8"), str(self.path))
        self.settings = _settings(tree)
        for node in tree.body:
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.name.startswith(
                "test_"
            ):
                yield DeviceFunction.from_parent(self, name=node.name, line=node.lineno)

    def process(self) -> Device:
        """Return the file's process, a new one if the last has died."""
        if self.device is None or not self.device.alive:
            self.teardown()
            self.device = Device(self.path, self.settings)
        return self.device

    def teardown(self) -> None:
        """End the file's process."""
        if self.device is not None:
            self.device.close()
            self.device = None


class DeviceFunction(pytest.Item):
    """One test function in MicroPython."""

    def __init__(self, *, line: int, **rest: Any) -> None:
        super().__init__(**rest)
        self.line = line

    def runtest(self) -> None:
        """Run it in a scratch folder."""
        assert isinstance(self.parent, DeviceFile)
        folder = Path(tempfile.mkdtemp(prefix="besnik-device-"))
        try:
            self.parent.process().run(self.name, folder)
        finally:
            shutil.rmtree(folder, ignore_errors=True)

    def repr_failure(self, excinfo: pytest.ExceptionInfo[BaseException], style: Any = None) -> Any:
        """Show MicroPython's traceback instead of the runner's."""
        if isinstance(excinfo.value, DeviceError):
            return str(excinfo.value)
        return super().repr_failure(excinfo, style)

    def reportinfo(self) -> tuple[Path, int, str]:
        """Name the place in the test file."""
        return self.path, self.line - 1, self.name


def _settings(tree: ast.Module) -> Settings:
    """Read ``HEAP`` and ``TIMEOUT_S`` from the file's top level."""
    found: dict[str, Any] = {}
    for node in tree.body:
        if isinstance(node, ast.Assign) and isinstance(node.value, ast.Constant):
            for target in node.targets:
                if isinstance(target, ast.Name):
                    found[target.id] = node.value.value
    default = Settings()
    return Settings(found.get("HEAP", default.heap), found.get("TIMEOUT_S", default.timeout_s))


def pytest_pycollect_makemodule(
    module_path: Path, parent: pytest.Collector
) -> pytest.Collector | None:
    """Take the files under ``mpy/`` away from pytest's own Python collector."""
    if module_path.parent != MPY:
        return None
    return DeviceFile.from_parent(parent, path=module_path)
