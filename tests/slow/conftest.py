"""What slow tests share: processes and folders that live as long as a module."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from support.processes import Processes


@pytest.fixture(scope="module")
def folder() -> Iterator[Path]:
    """A scratch folder."""
    made = Path(tempfile.mkdtemp(prefix="besnik-slow-"))
    yield made
    shutil.rmtree(made, ignore_errors=True)


@pytest.fixture(scope="module")
def servers(folder: Path, environment: dict[str, str]) -> Iterator[Processes]:
    """Starts processes that end with the module."""
    logs = folder / "logs"
    logs.mkdir()
    started = Processes(logs, environment)
    yield started
    started.end()
