"""Runs test functions inside the real MicroPython Unix port, one process for each test file."""

from __future__ import annotations

import json
import os
import queue
import subprocess
import threading
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from besnik.sim import umqtt
from besnik.unix_port import interpreter

ROOT = Path(__file__).resolve().parents[2]
HARNESS = ROOT / "tests/device/harness.py"
_MARK = "\x1e"


class DeviceError(Exception):
    """What MicroPython said: its traceback, or that it died or hung; with the test's output."""


@dataclass(frozen=True)
class Settings:
    """What a test file may set: ``HEAP`` (``-X heapsize=``) and ``TIMEOUT_S`` of one function."""

    heap: str = "2M"
    timeout_s: float = 20


def _search_path(test_folder: Path) -> tuple[list[str], str]:
    """Return MICROPYPATH's parts, and why umqtt is not among them (or an empty text)."""
    why = ""
    try:
        library = [str(umqtt.obtain(ROOT / ".besnik/cache"))]
    except umqtt.UmqttError as error:
        library, why = [], str(error)
    shims = ROOT / "host_tools/besnik/sim/shims"
    parts = [test_folder, shims, ROOT / "lib", ROOT, ROOT / "host_tools"]
    return [*(str(part) for part in parts), ".frozen", *library], why


class Device:
    """A MicroPython process that has loaded one test file."""

    def __init__(self, file: Path, settings: Settings) -> None:
        self._settings = settings
        parts, self._no_umqtt = _search_path(file.parent)
        self._process = subprocess.Popen(
            [interpreter(), "-X", f"heapsize={settings.heap}", str(HARNESS), file.stem],
            env={**os.environ, "MICROPYPATH": ":".join(parts)},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            encoding="utf-8",
            errors="replace",
        )
        self._lines: queue.Queue[str | None] = queue.Queue()
        threading.Thread(target=self._pump, daemon=True).start()
        loaded = self._answer("loading the file")
        if not loaded["loaded"]:
            self.close()
            raise DeviceError(loaded["error"] + self._hint(loaded["error"]))

    @property
    def alive(self) -> bool:
        """Whether another function can be run in this process."""
        return self._process.poll() is None

    def run(self, name: str, folder: Path) -> None:
        """Run one function with ``folder`` as working directory; DeviceError says what failed."""
        assert self._process.stdin is not None
        request = json.dumps({"name": name, "folder": str(folder)})
        try:
            self._process.stdin.write(request + "\n")
            self._process.stdin.flush()
        except BrokenPipeError as error:
            raise DeviceError("MicroPython ended before the test") from error
        outcome = self._answer(name)
        if not outcome["ok"]:
            raise DeviceError(outcome["error"] + self._hint(outcome["error"]))

    def close(self) -> None:
        """End the process."""
        self._process.kill()
        self._process.wait()
        for stream in (self._process.stdin, self._process.stdout):
            if stream is not None:
                stream.close()

    def _hint(self, error: str) -> str:
        return f"\n{self._no_umqtt}" if self._no_umqtt and "umqtt" in error else ""

    def _pump(self) -> None:
        assert self._process.stdout is not None
        try:
            for line in self._process.stdout:
                self._lines.put(line)
        except ValueError:
            pass  # closed by close()
        self._lines.put(None)

    def _answer(self, doing: str) -> dict[str, Any]:
        output: list[str] = []
        while True:
            try:
                line = self._lines.get(timeout=self._settings.timeout_s)
            except queue.Empty:
                self.close()
                late = f"{doing}: no answer within {self._settings.timeout_s} s"
                raise DeviceError(late + _shown(output)) from None
            if line is None:
                code = self._process.wait()
                raise DeviceError(f"{doing}: MicroPython ended with code {code}" + _shown(output))
            if line.startswith(_MARK):
                outcome: dict[str, Any] = json.loads(line[1:])
                if "error" in outcome:
                    outcome["error"] += _shown(output)
                return outcome
            output.append(line)


def _shown(output: list[str]) -> str:
    text = "".join(output).strip()
    return f"\n--- output ---\n{text}" if text else ""


def run_script(file: Path, timeout_s: float = 300) -> str:
    """Run a script with the search path of device tests; return its output, or DeviceError."""
    parts, why = _search_path(ROOT / "tests/device/mpy")
    done = subprocess.run(
        [interpreter(), str(file)],
        env={**os.environ, "MICROPYPATH": ":".join(parts)},
        capture_output=True,
        text=True,
        timeout=timeout_s,
        check=False,
    )
    if done.returncode:
        raise DeviceError(f"{file.name} failed:\n{done.stdout}{done.stderr}{why}")
    return done.stdout
