"""Live heap on 32-bit objects: MicroPython's wasm build, from npm, in Node.js."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

from parts import ROOT

from besnik.sim import reader

_WASM = Path(__file__).parent / "wasm"


def can_measure() -> bool:
    """Say whether Node.js and npm are installed."""
    return bool(shutil.which("npm") and shutil.which("node"))


def measure(script: str) -> dict[str, int]:
    """Stage the flash folder, run ``wasm/<script>`` there; return what is ``live`` after it.

    ``stdlib`` is the part of it that MicroPython's own modules take, ``empty`` what there was
    before anything was loaded; all in bytes.
    """
    build = ROOT / "build/wasm"
    shutil.rmtree(build, ignore_errors=True)
    shutil.copytree(_WASM, build)
    subprocess.run(["npm", "ci", "--silent"], cwd=build, check=True, stdout=sys.stderr)
    flash = build / "flash"
    reader.stage(flash, json.loads((_WASM / "config.json").read_text()), ROOT)
    # What an ESP32 has in its image.
    rom = flash.with_name("flash.rom")
    shutil.copytree(rom / "umqtt", flash / "umqtt")
    done = subprocess.run(
        ["node", build / "heap.mjs", flash, _WASM / "shims", _WASM / script],
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        # Node quotes the source line, all of the port in one, before the error.
        raise RuntimeError(f"{script} failed:\n{done.stdout[-1000:]}{done.stderr[-1000:]}")
    found: dict[str, int] = json.loads(done.stdout.splitlines()[-1])
    return found
