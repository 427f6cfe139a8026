"""The reader's heap: live bytes of the running application, and whether they stay.

The real application, compiled to bytecode as it ships, runs in the MicroPython Unix port in a heap
of 112 KB, wired to the virtual counter in its own process, connected to a real mosquitto, and sends
1,000 taps through the real bridge; live bytes are `gc.mem_alloc()` after a collection, less what
the shims of the board take.

Objects of the Unix port have 64 bits, twice an ESP32's; bytecode has the same size on both. So the
figure for 32 bits is computed: (live − bytecode) / 2 + bytecode, bytecode being the `.mpy` files of
all that stays loaded; umqtt.simple's is left out, as an ESP32 has it in its image. It is told
beside the wasm build of MicroPython, which has 32-bit objects but no sockets: there the application
is loaded (umqtt's bytecode too) and built, not run.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

from figures import Figure, at_most
from parts import ROOT, parts, reader_settings, start_counter

from besnik.sim import reader

TITLE = "The reader's heap"
_HERE = Path(__file__).parent
_TAPS = 1000
_LIMIT_KB = 40


def measure() -> list[Figure]:
    """Run 1,000 taps through a real reader; compute its 32-bit size."""
    samples, bytecode, umqtt = _run_reader()
    ten, last = samples[1], samples[-1]
    live_32 = (last["live"] - bytecode - umqtt) / 2 + bytecode
    return [
        at_most("live heap, 32-bit objects (computed)", live_32 / 1024, _LIMIT_KB, "KB", 1),
        Figure("live heap on the Unix port (64-bit objects)", f"{last['live'] / 1024:.1f} KB"),
        Figure("of which bytecode", f"{bytecode / 1024:.1f} KB"),
        Figure(
            f"heap free after {last['taps']} taps, against 10",
            f"{last['free'] - ten['free']:+d} bytes",
            "not lower",
            last["free"] >= ten["free"],
        ),
        *_wasm(),
    ]


def _run_reader() -> tuple[list[dict[str, int]], int, int]:
    with parts() as shop:
        shop.bridge.start()
        flash = shop.folder / "flash"
        reader.stage(flash, reader_settings(shop.broker), ROOT)
        umqtt = (flash / "lib/umqtt/simple.mpy").stat().st_size
        loaded = [path for path in flash.rglob("*.mpy") if path.name != "config.mpy"]
        bytecode = sum(path.stat().st_size for path in loaded) - umqtt
        argv, environment = reader.command(
            flash, spi_socket=start_counter(shop) / "spi.sock", nvs=shop.folder / "nvs.json"
        )
        shims = Path(argv[-2]).parent
        script = [*argv[:-2], str(_HERE / "mpy/taps.py"), str(flash), str(_TAPS)]
        search = f"{shims}:.frozen:{flash}:{flash}/lib"
        done = subprocess.run(
            script,
            env={**environment, "MICROPYPATH": search},
            cwd=flash,
            capture_output=True,
            text=True,
            timeout=900,
            check=False,
        )
    if done.returncode:
        raise RuntimeError(f"the reader failed:\n{done.stdout}{done.stderr}")
    return (
        [json.loads(line) for line in done.stdout.splitlines() if line[:1] == "{"],
        bytecode,
        umqtt,
    )


def _wasm() -> list[Figure]:
    """Measure the loaded application on 32-bit objects; says so when Node.js is not there."""
    what = "live heap, wasm build (32-bit), loaded and built"
    npm, node = shutil.which("npm"), shutil.which("node")
    if not npm or not node:
        return [Figure(what, "not measured: Node.js is not installed")]
    build = ROOT / "build/wasm"
    shutil.rmtree(build, ignore_errors=True)
    shutil.copytree(_HERE / "wasm", build)
    subprocess.run([npm, "ci", "--silent"], cwd=build, check=True, stdout=sys.stderr)
    flash = build / "flash"
    reader.stage(flash, json.loads((_HERE / "wasm/config.json").read_text()), ROOT)
    done = subprocess.run(
        [node, build / "heap.mjs", flash, _HERE / "wasm/shims"],
        capture_output=True,
        text=True,
        check=True,
    )
    found = json.loads(done.stdout.splitlines()[-1])
    return [Figure(what, f"{found['live'] / 1024:.1f} KB")]
