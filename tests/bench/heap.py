"""The reader's heap: live bytes of the running application, and whether they stay.

The real application, compiled to bytecode as it ships, runs in the MicroPython Unix port in a heap
of 112 KB with its default card families (UID and SUN), wired to the virtual counter in its own
process, connected to a real mosquitto by mutual TLS, sends 10,000 taps through the real bridge,
loses and finds the broker 100 times, and is left with 256 taps in its outbox; live bytes are
`gc.mem_alloc()` after a collection, less what the shims of the board take.

The event loop is held up by the reader's own work, which is told in CPU time, and by the clock also
while the process waits for a processor or for the virtual counter, which answers each transfer on
the SPI bus from a process of its own. A loop beside it that only sleeps tells what the machine does
to anybody. What the flash of an ESP32 takes is in "The reader's flash".

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
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
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
_TURN_MS = 20
_NAP_S = 0.005
_SETTLED_AT = 10  # taps; what mpy/taps.py tells is from there on


def measure() -> list[Figure]:
    """Run taps and reconnections through a real reader; compute its 32-bit size."""
    samples, idle_ms, umqtt = _run_reader()
    built, ten, held_up, taps, first, reconnected, full = samples
    figures = [
        Figure("live heap on the Unix port (64-bit objects)", f"{full['live'] / 1024:.1f} KB"),
        *_held_up(held_up, idle_ms),
        _flat(f"live heap after {_TAPS:,} taps, against {_SETTLED_AT}", ten, taps),
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


def _held_up(longest: dict[str, int], idle_ms: float) -> list[Figure]:
    within = f"in {_TAPS:,} taps over TLS"
    by_clock = f"{longest['held_up_us'] / 1000:.1f} ms"
    return [
        at_most(
            f"longest turn of the event loop {within}, CPU time",
            longest["used_us"] / 1000,
            _TURN_MS,
            "ms",
            1,
        ),
        Figure(f"longest that it was held up {within}, by the clock", by_clock),
        Figure("longest that a loop beside it which only sleeps was held up", f"{idle_ms:.1f} ms"),
    ]


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


@contextmanager
def _idle_loop() -> Iterator[list[float]]:
    """Sleep again and again in a thread; yield by how much longer than asked, at most, in ms."""
    longest_ms = [0.0]
    left = threading.Event()

    def sleep() -> None:
        while not left.is_set():
            began_s = time.monotonic()
            time.sleep(_NAP_S)
            late_s = time.monotonic() - began_s - _NAP_S
            longest_ms[0] = max(longest_ms[0], late_s * 1000)

    thread = threading.Thread(target=sleep)
    thread.start()
    try:
        yield longest_ms
    finally:
        left.set()
        thread.join()


def _run_reader() -> tuple[list[dict[str, int]], float, int]:
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
        samples, idle_ms = _samples(script, {**environment, "MICROPYPATH": search}, flash)
    return samples, idle_ms, umqtt


def _samples(
    script: list[str], environment: dict[str, str], folder: Path
) -> tuple[list[dict[str, int]], float]:
    """Run the script to its end; return what it tells, and what held an idle loop up meanwhile."""
    said: list[str] = []
    samples: list[dict[str, int]] = []
    idle_ms = 0.0
    with (
        subprocess.Popen(
            script,
            env=environment,
            cwd=folder,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        ) as running,
        _idle_loop() as longest_ms,
    ):
        assert running.stdout is not None
        for line in running.stdout:
            said.append(line)
            if not line.startswith("{"):
                continue
            samples.append(json.loads(line))
            if samples[-1].get("taps") == _SETTLED_AT:
                longest_ms[0] = 0.0
            elif "held_up_us" in samples[-1]:
                idle_ms = longest_ms[0]
    if running.returncode:
        raise RuntimeError("the reader failed:\n" + "".join(said))
    return samples, idle_ms
