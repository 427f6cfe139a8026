"""``besnik sim serve-spi``: the RC522 model alone behind a socket, for drivers that are not ours.

Any driver, in any language, that can send bytes to a Unix or TCP socket runs against it;
``docs/drivers.md`` says which bytes. Time is real time.
"""

from __future__ import annotations

import asyncio
import logging
import signal
import socket
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from threading import Lock, Thread

from besnik.sim.counter import ControlServer, SetupError, listen, make_card, read_json
from besnik.sim.desk import Desk
from besnik.sim.model.board import Board
from besnik.sim.model.clock import WallClock
from besnik.sim.spiwire import serve

# GPIO numbers on the wire; docs/drivers.md names them.
PINS = {"cs": 5, "rst": 22, "irq": 21}
# Nobody outside this machine has a driver to try here.
_HOST = "127.0.0.1"


@dataclass(frozen=True)
class Request:
    """What to serve: one of ``path`` and ``port``, a file of cards, and the keys of those present.

    ``control`` is a second socket, for whoever presents and removes cards; ``version`` is what
    VersionReg reads.
    """

    cards: Path
    path: Path | None = None
    port: int | None = None
    present: Sequence[str] | None = None
    control: Path | None = None
    version: int = 0x92


def desk_of(request: Request) -> Desk:
    """Return the board with its cards; without ``present`` the file's first is in the field.

    SetupError says which file or key is wrong.
    """
    desk = Desk(Board(PINS, WallClock(), request.version), Lock())
    for number, entry in enumerate(read_json(request.cards, list)):
        if not isinstance(entry, dict) or not isinstance(entry.get("key"), str):
            raise SetupError(f"{request.cards}: entry {number} has no key")
        desk.add(entry["key"], str(entry.get("label", entry["key"])), make_card(entry, number + 1))
    if not desk.labels:
        raise SetupError(f"{request.cards}: has no card")
    chosen = [next(iter(desk.labels))] if request.present is None else request.present
    for key in chosen:
        if key not in desk.labels:
            known = ", ".join(desk.labels)
            raise SetupError(f"--present {key}: no such card; {request.cards} has {known}")
        desk.board.present(key)
    return desk


def open_socket(request: Request) -> tuple[socket.socket, str]:
    """Return the listening socket and its address in words; OSError or SetupError."""
    if request.path is not None:
        return listen_at(request.path), f"unix {request.path}"
    listener = socket.create_server((_HOST, request.port or 0))
    # Accepted connections inherit it; without it each register access waits 40 ms.
    listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return listener, f"tcp {_HOST} {listener.getsockname()[1]}"


def listen_at(path: Path) -> socket.socket:
    """Return a listening Unix socket in the place of an earlier one, of nothing else."""
    if path.exists() and not path.is_socket():
        raise SetupError(f"{path}: is there and no socket; name another path")
    return listen(path)


def remove(listener: socket.socket) -> None:
    """Remove a Unix socket's file; a TCP socket has none."""
    if listener.family == socket.AF_UNIX:
        Path(listener.getsockname()).unlink(missing_ok=True)


async def run(
    desk: Desk, listener: socket.socket, address: str, control: socket.socket | None
) -> None:
    """Serve drivers, one after another, until SIGTERM or SIGINT."""
    Thread(target=serve, args=(listener, desk), name="spi", daemon=True).start()
    stopped = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stopped.set)
    if control is not None:
        await asyncio.start_unix_server(ControlServer(desk).client, sock=control)
    print(f"serve-spi: ready: {address}", flush=True)
    await stopped.wait()
    for each in filter(None, (listener, control)):
        remove(each)


def main(request: Request) -> int:
    """Serve what is asked for; return the exit status."""
    logging.basicConfig(level=logging.INFO, format="%(name)s: %(message)s")
    try:
        desk = desk_of(request)
        listener, address = open_socket(request)
        with listener:
            control = listen_at(request.control) if request.control else None
            asyncio.run(run(desk, listener, address, control))
    except (SetupError, OSError) as error:
        print(f"serve-spi: {error}", file=sys.stderr)
        return 1
    return 0
