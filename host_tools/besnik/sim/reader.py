"""The virtual reader: a flash folder with the firmware, and the MicroPython process for it."""

from __future__ import annotations

import json
import os
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from besnik.bytecode import (
    FIRMWARE,
    FIXED,
    SLOTS,
    WITH_ASSERTIONS,
    CompileError,
    compile_file,
    modules,
)
from besnik.sim import umqtt
from besnik.unix_port import interpreter

SHIMS = Path(__file__).resolve().parent / "shims"
# The start script must be source: MicroPython cannot be given a .mpy to run.
START = "start.py"
# What the model of the flash chip takes of the heap of a reader on an image, and what those of the
# shims take that a reader hardly uses: their names make the reader's need a table of 640, 6 KB in
# one piece (py/qstr.c), for want of which a start with TLS fails now and then when there is less.
_CHIP_KB = 6 + 11


class StageError(Exception):
    """The flash folder cannot be made; the text says which file and why."""


def stage(
    folder: Path, config: dict[str, Any], root: Path, certificates: Path | None = None
) -> None:
    """Make or renew a reader's flash in ``folder`` from the source tree at ``root``.

    The program is in the first of its slots and the other is empty; what else the reader has
    written there (its outbox) stays. What is in
    ``certificates`` goes into its folder ``cert``, as ``besnik fleet cert`` has it done.
    Raises StageError or umqtt.UmqttError.
    """
    stage_chip(folder, root)
    for name in SLOTS:
        shutil.rmtree(folder / name, ignore_errors=True)
    for source in modules(root):
        _compile(source, folder / SLOTS[0] / source.relative_to(root).with_suffix(".mpy"), root)
    for name, target in FIXED.items():
        shutil.copyfile(root / name, folder / target)
    shutil.copyfile(root / "main.py", folder / SLOTS[0] / "main.py")
    (folder / "config.json").write_text(json.dumps(config, indent=2) + "\n", encoding="utf-8")
    shutil.rmtree(folder / "cert", ignore_errors=True)
    if certificates:
        shutil.copytree(certificates, folder / "cert")


def stage_chip(folder: Path, root: Path) -> None:
    """Make what a new chip has: the folder of its flash, empty, and beside it ``{folder}.rom``.

    In that are the shims and umqtt, which an ESP32 has in its image: bytecode, because compiling
    on the device would take the heap apart before the firmware is even loaded; umqtt with its
    assertions. Raises StageError or umqtt.UmqttError.
    """
    folder.mkdir(parents=True, exist_ok=True)
    library = umqtt.obtain(root / ".besnik/cache")
    rom = _rom(folder)
    shutil.rmtree(rom, ignore_errors=True)
    rom.mkdir()
    for source in sorted(SHIMS.glob("*.py")):
        if source.name == START:
            shutil.copyfile(source, rom / START)
        else:
            _compile(source, rom / source.with_suffix(".mpy").name, SHIMS)
    _compile(library / "umqtt/simple.py", rom / "umqtt/simple.mpy", library, WITH_ASSERTIONS)


def _rom(flash: Path) -> Path:
    return flash.with_name(flash.name + ".rom")


def _compile(source: Path, target: Path, root: Path, options: tuple[str, ...] = FIRMWARE) -> None:
    name = str(source.relative_to(root))
    try:
        compile_file(source, target, name, options)
    except CompileError as error:
        raise StageError(str(error)) from error


@dataclass(frozen=True)
class PowerCut:
    """The reader dies at its Nth erase or program operation of the flash, counted from 1.

    ``is_torn``: half of that operation is done; otherwise none of it.
    """

    operation: int
    is_torn: bool = False


def command(
    flash: Path,
    *,
    spi_socket: Path,
    nvs: Path,
    heap: str = "112K",
    image: Path | None = None,
    cut: PowerCut | None = None,
) -> tuple[list[str], dict[str, str]]:
    """Return argv and environment of the reader's process.

    It runs ``boot.py`` and then ``main.py`` of the staged flash folder, as the ESP32 port does.
    They choose a slot and run the ``main.py`` in that.
    ``machine.reset()`` ends it with SIGKILL; start it again. ``nvs`` is the file of the
    non-volatile storage, beside which the reset cause is kept.

    With ``image``, a file that is made when it is missing, the reader works on littlefs in it, on
    a flash chip of an ESP32's geometry, which may suffer a ``cut``; what is staged in ``flash`` is
    copied there first. The chip's model is given its own room in the heap.
    """
    if image:
        heap = f"{int(heap.removesuffix('K')) + _CHIP_KB}K"
    start = _rom(flash) / START
    argv = [str(interpreter()), "-X", f"heapsize={heap}", str(start), str(flash)]
    environment = {
        "PATH": os.environ.get("PATH", os.defpath),
        "BESNIK_SIM_SPI": str(spi_socket),
        "BESNIK_SIM_NVS": str(nvs),
    }
    if image:
        environment["BESNIK_SIM_IMAGE"] = str(image)
    if cut:
        environment["BESNIK_SIM_CUT"] = (
            f"{cut.operation} torn" if cut.is_torn else f"{cut.operation}"
        )
    return argv, environment
