"""A board without a board: MicroPython behind a pseudo-terminal, as a USB port shows an ESP32.

``python virtual_board.py FLASH``: the folder FLASH is the board's file system, ``BESNIK_SIM_SPI``
names the socket of the chip model. Prints ``board: ready`` and the port for mpremote.
"""

from __future__ import annotations

import os
import pty
import select
import signal
import sys
import termios
import tty
from pathlib import Path

from besnik.sim.reader import SHIMS, interpreter

START = Path(__file__).with_name("board_start.py")
PROMPT = b">>> "
TO_RAW, TO_FRIENDLY = b"\x01", b"\x02"


class VirtualBoard:
    """The terminal that mpremote opens, and the MicroPython process behind it."""

    def __init__(self, flash: Path) -> None:
        self._flash = flash
        self._port, self._device = os.openpty()
        tty.setraw(self._device)
        self._is_raw = False
        self._pid, self._console = self._boot(with_main=True)

    @property
    def port(self) -> str:
        """The path that mpremote connects to."""
        return os.ttyname(self._device)

    def serve(self) -> None:
        """Carry bytes both ways for ever; MicroPython that ends is started again."""
        while True:
            ready, _, _ = select.select([self._port, self._console], [], [])
            if self._port in ready:
                self._forward(os.read(self._port, 4096))
            if self._console in ready:
                said = self._heard()
                if said:
                    os.write(self._port, said)
                else:
                    self._restart()

    def _forward(self, typed: bytes) -> None:
        last = max(typed.rfind(TO_RAW), typed.rfind(TO_FRIENDLY))
        if last >= 0:
            self._is_raw = typed[last : last + 1] == TO_RAW
        os.write(self._console, typed)

    def _heard(self) -> bytes:
        try:
            return os.read(self._console, 4096)
        except OSError:  # the process has gone
            return b""

    def _restart(self) -> None:
        os.close(self._console)
        _, status = os.waitpid(self._pid, 0)
        # Killed is how the shims' machine.reset() ends; anything else was Ctrl-D at the prompt.
        is_hard = os.WIFSIGNALED(status)
        self._is_raw = self._is_raw and not is_hard
        os.write(self._port, b"rst:0x1\r\n" if is_hard else b"MPY: soft reboot\r\n")
        self._pid, self._console = self._boot(with_main=not self._is_raw)
        if self._is_raw:
            # An ESP32 comes back in the mode it was in.
            heard = b""
            while not heard.endswith(PROMPT):
                heard += self._heard()
            os.write(self._console, TO_RAW)

    def _boot(self, *, with_main: bool) -> tuple[int, int]:
        command = [str(interpreter()), "-X", "heapsize=256K", "-i", str(START)]
        environment = {**os.environ, "MICROPYPATH": f"{SHIMS}:.frozen"}
        pid, console = pty.fork()
        if pid == 0:
            as_on_a_board(0)
            os.execve(command[0], [*command, str(self._flash), str(int(with_main))], environment)
        return pid, console

    def end(self) -> None:
        """End MicroPython."""
        os.kill(self._pid, signal.SIGKILL)


def as_on_a_board(terminal: int) -> None:
    """Let a terminal neither echo nor turn line ends, as a serial line does; Ctrl-C still works."""
    settings = termios.tcgetattr(terminal)
    settings[0] &= ~(termios.ICRNL | termios.INLCR)
    settings[1] &= ~termios.OPOST
    settings[3] &= ~(termios.ECHO | termios.ICANON)
    termios.tcsetattr(terminal, termios.TCSANOW, settings)


def main() -> int:
    """Serve one board until the process is ended."""
    board = VirtualBoard(Path(sys.argv[1]).resolve())
    print(f"board: ready {board.port}", flush=True)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    try:
        board.serve()
    finally:
        board.end()
    return 0


if __name__ == "__main__":
    sys.exit(main())
