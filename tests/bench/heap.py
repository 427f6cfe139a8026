"""The reader's heap: live bytes of the running application, and whether they stay.

The real application, compiled to bytecode as it ships, runs in the MicroPython Unix port in a heap
of 112 KB with its default card families (UID and SUN), wired to the virtual counter in its own
process, connected to a real mosquitto by mutual TLS, sends 10,000 taps through the real bridge,
loses and finds the broker 100 times, and is left with 256 taps in its outbox; live bytes are
`gc.mem_alloc()` after a collection, less what the shims of the board take.

Objects of the Unix port have 64 bits, twice an ESP32's, so the figure for 32 bits is computed from
two runs. MicroPython's wasm build (32 bits, but no sockets) loads the same files and builds the
reader. To that are added half of what the Unix port's heap grows by from there to the full outbox,
half of a TLS context there, and half of what MicroPython's own modules take in the Unix port in
place of what they take in the wasm build, whose asyncio is another. umqtt.simple's bytecode is
taken off: an ESP32 has it in its image.
"""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import wasm_heap
from figures import Figure, at_most
from parts import ROOT, parts, reader_settings, start_counter

from besnik.sim import reader
from besnik.unix_port import interpreter

TITLE = "The reader's heap"
_HERE = Path(__file__).parent
_TAPS = 10_000
_RECONNECTS = 100
_LIMIT_KB = 45


def measure() -> list[Figure]:
    """Run taps and reconnections through a real reader; compute its 32-bit size."""
    samples, umqtt = _run_reader()
    built, ten, held_up, taps, first, reconnected, full = samples
    figures = [
        Figure("live heap on the Unix port (64-bit objects)", f"{full['live'] / 1024:.1f} KB"),
        at_most(
            f"the longest that the event loop was held up in {_TAPS:,} taps over TLS, this"
            " machine's other work included",
            held_up["held_up_us"] / 1000,
            20,
            "ms",
            1,
        ),
        _flat(f"live heap after {_TAPS:,} taps, against 10", ten, taps),
        _flat(f"live heap after {_RECONNECTS} reconnections, against 1", first, reconnected),
    ]
    what = "live heap of the running application, 32-bit objects (computed)"
    if not wasm_heap.can_measure():
        return [Figure(what, "not measured: Node.js is not installed"), *figures]
    wasm = wasm_heap.measure("reader.py")
    grown = (full["live"] - built["live"] + _stdlib_on_unix() + _tls_on_unix()) / 2
    live_32 = wasm["live"] - wasm["stdlib"] - umqtt + grown
    return [at_most(what, live_32 / 1024, _LIMIT_KB, "KB", 1), *figures]


def _flat(what: str, before: dict[str, int], after: dict[str, int]) -> Figure:
    grown = after["live"] - before["live"]
    # A message may be on its way at either moment.
    return Figure(what, f"{grown:+d} bytes", "flat within 256 bytes", grown <= 256)


def _stdlib_on_unix() -> int:
    """Return the bytes that MicroPython's own modules take on the Unix port."""
    script = (
        "import gc; gc.collect(); b = gc.mem_alloc()\n"
        "import asyncio, json, os, binascii, random, select, time, socket\n"
        "gc.collect(); print(gc.mem_alloc() - b)"
    )
    done = subprocess.run([interpreter(), "-c", script], capture_output=True, text=True, check=True)
    return int(done.stdout)


def _tls_on_unix() -> int:
    """Return the bytes that a TLS context takes on the Unix port; the wasm build has no TLS."""
    script = (
        "import gc, tls; gc.collect(); b = gc.mem_alloc()\n"
        "context = tls.SSLContext(tls.PROTOCOL_TLS_CLIENT)\n"
        "gc.collect(); print(gc.mem_alloc() - b)"
    )
    done = subprocess.run([interpreter(), "-c", script], capture_output=True, text=True, check=True)
    return int(done.stdout)


def _run_reader() -> tuple[list[dict[str, int]], int]:
    with parts(secure=True) as shop:
        shop.bridge.start()
        flash = shop.folder / "flash"
        files = shop.broker.certificates("counter-1")
        reader.stage(flash, reader_settings(shop.broker), ROOT, files)
        umqtt = (flash.with_name("flash.rom") / "umqtt/simple.mpy").stat().st_size
        argv, environment = reader.command(
            flash, spi_socket=start_counter(shop) / "spi.sock", nvs=shop.folder / "nvs.json"
        )
        shims = Path(argv[-2]).parent
        script = [*argv[:-2], str(_HERE / "mpy/taps.py"), str(flash), str(_TAPS), str(_RECONNECTS)]
        search = f"{shims}:.frozen:{flash}/a:{flash}/a/lib"
        done = subprocess.run(
            script,
            env={**environment, "MICROPYPATH": search},
            cwd=flash,
            capture_output=True,
            text=True,
            timeout=1600,
            check=False,
        )
    if done.returncode:
        raise RuntimeError(f"the reader failed:\n{done.stdout}{done.stderr}")
    return [json.loads(line) for line in done.stdout.splitlines() if line[:1] == "{"], umqtt
