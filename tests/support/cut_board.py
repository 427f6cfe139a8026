"""A board that is flashed, and then every moment of that at which its power may go.

The wire is a pipe; what is sent over it is `besnik fleet flash`'s own, what runs it is MicroPython
with littlefs, and ``cuttable.py`` of the device tests writes down each erase and program operation.
"""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import msgspec
from mpremote.transport import Transport, TransportExecError

from besnik.fleet import content, flash
from besnik.fleet.usb import UsbBoard
from besnik.sim.reader import SHIMS
from besnik.unix_port import interpreter

_ROOT = Path(__file__).resolve().parents[2]
_MPY = _ROOT / "tests/device/mpy"
_END = b"\x04"


class Moments(msgspec.Struct, array_like=True, frozen=True):
    """How many moments there were, how many of them look finished, and what is wrong with which."""

    count: int
    finished: int
    wrong: list[str]


class CutBoard(Transport):  # type: ignore[misc]  # mpremote has no types
    """A board with power until it is cut; to mpremote's part of a flash, a transport as others."""

    def __init__(self, process: subprocess.Popen[bytes]) -> None:
        self._process = process
        self.exec("board.erase()")

    def flash(self, files: dict[str, bytes]) -> int:
        """Do as `besnik fleet flash` does; return how many files were written."""
        self.exec("board.start()")
        board = UsbBoard(self)
        return flash.write(board, board.look(), files, lambda *_: None)

    def is_reader(self, files: dict[str, bytes]) -> bool:
        """Return whether it carries these files and nothing of another program, and runs them."""
        board = UsbBoard(self)
        there = board.look().files
        ran = board.run("print(board.start())").strip()
        return not content.missing(files, there) and not content.stale(files, there) and ran == "a"

    def put(self, path: str, data: bytes) -> None:
        """Write a file by other means than a flash."""
        UsbBoard(self).put(path, data)

    def remember(self, **numbers: int) -> None:
        """Keep numbers in NVS."""
        for name, number in numbers.items():
            self.exec(f"import esp32\nesp32.NVS('besnik').set_i32({name!r}, {number})")

    def record(self) -> None:
        """Write down every operation from here on."""
        self.exec("board.record()")

    def examine(self) -> Moments:
        """Look at what the board would be at each moment of what was recorded."""
        said, _ = self.exec_raw("import json\nprint(json.dumps(board.examine()))")
        return msgspec.convert(json.loads(said), Moments)

    def recorded(self) -> int:
        """Return the number of operations that were recorded."""
        said, _ = self.exec_raw("print(len(board.operations))")
        return int(said)

    def cut(self, operation: int, *, is_torn: bool) -> None:
        """Be what the board was when the power went at that operation of those recorded."""
        self.exec(f"board.cut({operation}, {is_torn})")

    def exec(self, command: str, data_consumer: Callable[[bytes], None] | None = None) -> bytes:
        """Run a script, as mpremote's other transports do; TransportExecError."""
        output, error = self.exec_raw(command)
        if error:
            raise TransportExecError(output, error.decode())
        if data_consumer:
            data_consumer(output)
        return output

    def exec_raw(self, command: str, **_: Any) -> tuple[bytes, bytes]:
        """Run a script; return what it printed and its traceback."""
        assert self._process.stdin is not None
        script = command.encode()
        self._process.stdin.write(b"%d\n" % len(script) + script)
        self._process.stdin.flush()
        return self._part(), self._part()

    def exec_raw_no_follow(self, command: str) -> None:
        """Run a script that ends in a restart."""
        self.exec(command)

    def _part(self) -> bytes:
        assert self._process.stdout is not None
        found = bytearray()
        while (byte := self._process.stdout.read(1)) != _END:
            if not byte:
                raise AssertionError(f"the board ended: {found.decode()}")
            found += byte
        return bytes(found)


@contextmanager
def cut_board() -> Iterator[CutBoard]:
    """Yield a new board, its chip erased."""
    path = [_MPY, SHIMS, _ROOT / "host_tools"]
    process = subprocess.Popen(
        [interpreter(), "-X", "heapsize=24M", _MPY / "cuttable.py"],
        env={**os.environ, "MICROPYPATH": ":".join(map(str, [*path, ".frozen"]))},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    try:
        yield CutBoard(process)
    finally:
        process.kill()
        process.communicate()
