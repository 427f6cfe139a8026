"""A virtual ESP32 behind a serial port: what mpremote, a terminal and `besnik fleet` find there.

``besnik sim board`` runs one.

The board is MicroPython's Unix port on littlefs in an image (see `reader.command`). It runs in a
terminal of its own; this process stands between that and the port, and does what the Unix port
leaves to the chip: it starts anew after a reset, hard or soft, and says so as an ESP32 does.

As on a board the flash is at ``/`` and is all there is: no tool on the port reaches the files of
the machine it runs on.
"""

from __future__ import annotations

import contextlib
import json
import os
import pty
import select
import signal
import subprocess
import sys
import termios
from pathlib import Path
from typing import Final

import msgspec

from besnik.sim import reader
from besnik.sim.model.board import PINS
from besnik.sim.umqtt import UmqttError

_SOFT_RESET: Final = b"MPY: soft reboot\r\n"
# What the chip's own loader prints; mpremote and people look for nothing in it.
_HARD_RESET: Final = b"rst:0x1 (POWERON_RESET),boot:0x13 (SPI_FAST_FLASH_BOOT)\r\n"
# machine.SOFT_RESET.
_SOFT_CAUSE: Final = "5"
_ENTER_RAW: Final = 0x01
_LEAVE_RAW: Final = 0x02
_CHUNK: Final = 4096
_CARDS: Final = [{"key": "card", "label": "A card", "uid": "04A1B2C3D4E580"}]


class Parts(msgspec.Struct, frozen=True):
    """The files of one board in ``folder``, which is made with the first of them."""

    folder: Path

    @property
    def port(self) -> Path:
        """A link to the serial port, there while the board has power."""
        return self.folder / "port"

    @property
    def flash(self) -> Path:
        """What a new chip has: an empty folder, the shims beside it (`reader.stage_chip`)."""
        return self.folder / "flash"

    @property
    def image(self) -> Path:
        """The content of the flash chip; removed, the chip is erased."""
        return self.folder / "image"

    @property
    def spi(self) -> Path:
        """The socket of what is on its pins."""
        return self.folder / "spi.sock"

    @property
    def nvs(self) -> Path:
        """The content of the non-volatile storage."""
        return self.folder / "nvs.json"


class VirtualBoard:
    """One board, with an RC522 at ``spi_socket``; a ``cut`` takes its power for good.

    Its port is there from the beginning, and answers when it runs.
    """

    def __init__(
        self,
        parts: Parts,
        spi_socket: Path,
        *,
        heap: str = "112K",
        cut: reader.PowerCut | None = None,
    ) -> None:
        self._port = parts.port
        self._cause = parts.nvs.with_name(f"{parts.nvs.name}.cause")
        self._argv, self._environment = reader.command(
            parts.flash,
            spi_socket=spi_socket,
            nvs=parts.nvs,
            heap=heap,
            image=parts.image,
            cut=cut,
        )
        self._outer, self._terminal = pty.openpty()
        _raw(self._terminal, signals=False)
        self._port.unlink(missing_ok=True)
        self._port.symlink_to(os.ttyname(self._terminal))
        self._process: subprocess.Popen[bytes] | None = None
        self._inner = -1
        self._ready = -1
        self._is_raw = False
        self._is_cut = cut is not None

    def run(self, stop: int) -> None:
        """Serve the port until the file descriptor ``stop`` can be read, or a cut took the power.

        The power is on meanwhile; afterwards the port is gone.
        """
        self._start(is_soft=False)
        try:
            while self._pass_on(stop):
                pass
        finally:
            self._end()
            self._port.unlink(missing_ok=True)
            os.close(self._outer)
            os.close(self._terminal)

    def _pass_on(self, stop: int) -> bool:
        # What is typed before the interpreter is up waits in the port, as in a UART: the process
        # it becomes would take an early Ctrl-C for its end.
        listened = self._outer if self._ready < 0 else self._ready
        ready, _, _ = select.select([listened, self._inner, stop], [], [])
        if stop in ready:
            return False
        if self._ready in ready:
            self._close_ready()
        if self._outer in ready:
            data = os.read(self._outer, _CHUNK)
            self._note_mode(data)
            os.write(self._inner, data)
        if self._inner in ready:
            try:
                data = os.read(self._inner, _CHUNK)
            except OSError:  # EIO: the last process on that terminal has ended
                return self._restart()
            os.write(self._outer, data)
        return True

    def _note_mode(self, data: bytes) -> None:
        for byte in data:
            if byte in (_ENTER_RAW, _LEAVE_RAW):
                self._is_raw = byte == _ENTER_RAW

    def _restart(self) -> bool:
        assert self._process is not None
        status = self._process.wait()
        self._end()
        is_soft = status >= 0
        if is_soft:
            self._cause.write_text(_SOFT_CAUSE, encoding="utf-8")
        # Not of SIGINT: between its script and its prompt the Unix port dies of an early Ctrl-C.
        if self._is_cut and status == -signal.SIGKILL:
            return False
        self._start(is_soft=is_soft)
        return True

    def _start(self, *, is_soft: bool) -> None:
        self._inner, terminal = pty.openpty()
        _raw(terminal, signals=True)
        # After a soft reset in the raw REPL the ESP32 port leaves main.py out.
        runs_main = not (is_soft and self._is_raw)
        self._is_raw = self._is_raw and is_soft
        self._ready, told = os.pipe()
        self._process = subprocess.Popen(
            [self._argv[0], "-i", *self._argv[1:]],
            env={
                **self._environment,
                "BESNIK_SIM_MAIN": "1" if runs_main else "",
                "BESNIK_SIM_READY": str(told),
            },
            pass_fds=(told,),
            stdin=terminal,
            stdout=terminal,
            stderr=terminal,
            start_new_session=True,
            preexec_fn=_take_terminal,
        )
        os.close(terminal)
        os.close(told)
        os.write(self._outer, _SOFT_RESET if is_soft else _HARD_RESET)
        if self._is_raw:
            os.write(self._inner, bytes((_ENTER_RAW,)))

    def _end(self) -> None:
        if self._process is not None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait()
            self._process = None
            os.close(self._inner)
            self._close_ready()

    def _close_ready(self) -> None:
        if self._ready >= 0:
            os.close(self._ready)
            self._ready = -1


def main(folder: Path, root: Path, *, cards: Path | None, spi: Path | None) -> int:
    """Run the board whose files are in ``folder`` until SIGINT or SIGTERM; return the status.

    It is wired to an RC522, LED and buzzer as config.json's defaults say; ``cards`` is the file of
    what can be held to it (`besnik.sim.counter`), by default one card. Cards are presented at
    ``folder``/control.sock. With ``spi`` it is wired to what listens at that socket instead.
    """
    parts = Parts(folder.absolute())
    try:
        reader.stage_chip(parts.flash, root)
        counter = None if spi else _wire(parts, cards)
    except (reader.StageError, UmqttError, OSError) as error:
        print(f"besnik sim board: {error}", file=sys.stderr)
        return 1
    stop, wake = os.pipe()
    os.set_blocking(wake, False)
    signal.set_wakeup_fd(wake)
    for each in (signal.SIGINT, signal.SIGTERM):
        signal.signal(each, lambda *_: None)
    try:
        board = VirtualBoard(parts, spi.absolute() if spi else parts.spi)
        print(f"board: its serial port is {parts.port}", flush=True)
        board.run(stop)
    finally:
        if counter:
            counter.terminate()
            counter.wait()
    return 0


def _wire(parts: Parts, cards: Path | None) -> subprocess.Popen[str]:
    """Start the RC522 and all that is on the pins; return when it is there."""
    if cards is None:
        cards = parts.folder / "cards.json"
        cards.write_text(json.dumps(_CARDS), encoding="utf-8")
    pins = parts.folder / "pins.json"
    pins.write_text(json.dumps(PINS), encoding="utf-8")
    command = [sys.executable, "-m", "besnik.sim.counter", "--folder", parts.folder]
    counter = subprocess.Popen(
        [*map(str, command), "--cards", str(cards), "--pins", str(pins)],
        stdout=subprocess.PIPE,
        text=True,
    )
    assert counter.stdout is not None
    if not counter.stdout.readline():
        raise reader.StageError("what is on the board's pins does not start: see above")
    return counter


def _take_terminal() -> None:
    """Make the terminal on standard input that of this session: Ctrl-C reaches its processes."""
    import fcntl

    fcntl.ioctl(0, termios.TIOCSCTTY, 0)


def _raw(terminal: int, *, signals: bool) -> None:
    """Let bytes through unchanged; with ``signals``, Ctrl-C still interrupts."""
    settings = termios.tcgetattr(terminal)
    settings[0] &= ~(termios.ICRNL | termios.INLCR | termios.IXON)
    settings[1] &= ~termios.OPOST
    settings[3] &= ~(termios.ECHO | termios.ICANON | termios.IEXTEN)
    if not signals:
        settings[3] &= ~termios.ISIG
    termios.tcsetattr(terminal, termios.TCSANOW, settings)
