"""The virtual reader: a flash folder with the firmware, and the MicroPython process for it."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sysconfig
from pathlib import Path
from typing import Any

from besnik.sim import umqtt

SHIMS = Path(__file__).resolve().parent / "shims"
# What `make firmware` ships: assertions out, line numbers kept.
MPY_CROSS_FLAGS = ("-O2",)


class StageError(Exception):
    """The flash folder cannot be made; the text says which file and why."""


def interpreter() -> Path:
    """Return MicroPython's Unix port in the running Python's environment."""
    return _tool("micropython")


def _tool(name: str) -> Path:
    path = Path(sysconfig.get_path("scripts")) / name
    if not path.exists():
        raise StageError(f"{path} is missing: run make, or install host_tools/requirements")
    return path


def stage(folder: Path, config: dict[str, Any], root: Path) -> None:
    """Make or renew a reader's flash in ``folder`` from the source tree at ``root``.

    Program files are replaced; what the reader has written there (its outbox) stays.
    Raises StageError or umqtt.UmqttError.
    """
    folder.mkdir(parents=True, exist_ok=True)
    library = umqtt.obtain(root / ".besnik/cache")
    for name in ("firmware", "lib"):
        shutil.rmtree(folder / name, ignore_errors=True)
        for source in sorted((root / name).glob("**/*.py")):
            compile_to(source, folder / source.relative_to(root).with_suffix(".mpy"), root)
    shutil.copytree(library / "umqtt", folder / "lib/umqtt")
    for name in ("boot.py", "main.py"):
        shutil.copyfile(root / name, folder / name)
    (folder / "config.json").write_text(json.dumps(config, indent=2) + "\n", encoding="utf-8")


def compile_to(source: Path, target: Path, root: Path) -> None:
    """Compile one device file with mpy-cross; StageError with its message if it is refused."""
    target.parent.mkdir(parents=True, exist_ok=True)
    name = str(source.relative_to(root))
    done = subprocess.run(
        [_tool("mpy-cross"), *MPY_CROSS_FLAGS, "-s", name, "-o", target, source],
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise StageError(f"{name}: {(done.stderr or done.stdout).strip()}")


def command(
    flash: Path, *, spi_socket: Path, nvs: Path, heap: str = "112K"
) -> tuple[list[str], dict[str, str]]:
    """Return argv and environment of the reader's process.

    It runs ``boot.py`` and then ``main.py`` of the flash folder, as the ESP32 port does.
    ``machine.reset()`` ends it with SIGKILL; start it again. ``nvs`` is the file of the
    non-volatile storage, beside which the reset cause is kept.
    """
    argv = [str(interpreter()), "-X", f"heapsize={heap}", str(SHIMS / "start.py"), str(flash)]
    environment = {
        "PATH": os.environ.get("PATH", os.defpath),
        "BESNIK_SIM_SPI": str(spi_socket),
        "BESNIK_SIM_NVS": str(nvs),
    }
    return argv, environment
