"""The virtual counter as a process: the RC522 model in real time behind two Unix sockets.

``python -m besnik.sim.counter --folder DIR --cards FILE.json --pins FILE.json`` serves
``DIR/spi.sock`` to the device's shims and ``DIR/control.sock`` to whoever presents cards and
watches the pins. It prints ``counter: ready`` when both listen, and ends on SIGTERM.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import logging
import signal
import socket
import sys
from pathlib import Path
from threading import Lock, Thread
from typing import Any

from besnik.sim.desk import Desk, DeskError
from besnik.sim.model.board import Board
from besnik.sim.model.clock import WallClock
from besnik.sim.model.picc import Picc
from besnik.sim.model.wallet import card_of
from besnik.sim.remembered import Remembered
from besnik.sim.spiwire import serve

# sun_path of a Unix socket address has 108 bytes, its end included.
SOCKET_PATH_MAX = 107
# A watcher that does not read is dropped when so many bytes wait for it.
BACKLOG_MAX = 1 << 20

log = logging.getLogger("counter")


class SetupError(Exception):
    """The counter cannot be set up from its files; the text names the file and what is wrong."""


def read_json(path: Path, kind: type) -> Any:
    """Return the file's JSON, which must be a ``kind``; SetupError otherwise."""
    try:
        value = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise SetupError(f"{path}: cannot be read as JSON: {error}") from error
    if not isinstance(value, kind):
        raise SetupError(f"{path}: must hold a JSON {kind.__name__}")
    return value


def make_card(entry: dict[str, Any], seed: int) -> Picc:
    """Return the card that an entry of the cards file describes (``model/wallet.py``)."""
    try:
        return card_of(entry, seed)
    except (TypeError, ValueError, AttributeError) as error:
        raise SetupError(f"card {entry.get('key')!r}: {error}") from error


class ControlServer:
    """Serves the control socket: JSON lines, several clients at once."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._loop = asyncio.get_running_loop()
        self._watchers: set[asyncio.StreamWriter] = set()
        desk.on_event = self._from_any_thread

    def _from_any_thread(self, event: dict[str, Any]) -> None:
        self._loop.call_soon_threadsafe(self._push, event)

    def _push(self, event: dict[str, Any]) -> None:
        line = _line(event)
        for writer in list(self._watchers):
            if writer.transport.get_write_buffer_size() > BACKLOG_MAX:
                log.warning("a watcher does not read its events: dropped")
                self._watchers.discard(writer)
                writer.transport.abort()
            else:
                writer.write(line)

    async def client(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Answer one client's requests until it goes."""
        try:
            while line := await reader.readline():
                writer.write(_line(self._answer(line, writer)))
                await writer.drain()
        except (ConnectionError, ValueError) as error:
            log.info("control client: %s", error)
        finally:
            self._watchers.discard(writer)
            writer.close()

    def _answer(self, line: bytes, writer: asyncio.StreamWriter) -> dict[str, Any]:
        number: Any = None
        try:
            request = json.loads(line)
            if not isinstance(request, dict):
                raise DeskError("a request is a JSON object")
            number = request.pop("n", None)
            operation = request.pop("op", None)
            if operation == "watch":
                self._watchers.add(writer)
                operation = "state"
            return {"n": number, "ok": True, **self._desk.do(operation, request)}
        except (DeskError, ValueError) as error:
            return {"n": number, "ok": False, "error": str(error)}


def _line(message: dict[str, Any]) -> bytes:
    return json.dumps(message, ensure_ascii=False, separators=(",", ":")).encode() + b"\n"


def listen(path: Path) -> socket.socket:
    """Return a listening Unix socket at ``path``, replacing what an earlier run left there."""
    if len(str(path).encode()) > SOCKET_PATH_MAX:
        raise SetupError(f"{path}: longer than the {SOCKET_PATH_MAX} bytes of a socket's path")
    path.parent.mkdir(parents=True, exist_ok=True)
    path.unlink(missing_ok=True)
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    listener.bind(str(path))
    listener.listen()
    return listener


def set_up(cards: Path, pins: Path) -> Desk:
    """Return the desk with the cards and pins of the two files; SetupError names what is wrong."""
    roles = read_json(pins, dict)
    for role, gpio in roles.items():
        if type(gpio) is not int:
            raise SetupError(f"{pins}: {role} = {gpio!r}: must be a GPIO number")
    for role in ("cs", "rst"):
        if role not in roles:
            raise SetupError(f"{pins}: {role} is missing")
    desk = Desk(Board(roles, WallClock()), Lock())
    for number, entry in enumerate(read_json(cards, list)):
        if not isinstance(entry, dict) or not isinstance(entry.get("key"), str):
            raise SetupError(f"{cards}: entry {number} has no key")
        card = make_card(entry, number + 1)
        desk.add(entry["key"], str(entry.get("label", entry["key"])), card)
    return desk


async def run(desk: Desk, folder: Path, remembered: Remembered) -> None:
    """Serve both sockets until SIGTERM or SIGINT; what cards keep is saved as they leave."""
    remembered.load()
    desk.board.listen(lambda event, _key, value, _t_us: _save(remembered, event, value))
    server = ControlServer(desk)
    spi = listen(folder / "spi.sock")
    Thread(target=serve, args=(spi, desk), name="spi", daemon=True).start()
    control = await asyncio.start_unix_server(server.client, sock=listen(folder / "control.sock"))
    stopped = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stopped.set)
    print("counter: ready", flush=True)
    await stopped.wait()
    control.close()
    remembered.save()
    for name in ("spi.sock", "control.sock"):
        (folder / name).unlink(missing_ok=True)


def _save(remembered: Remembered, event: str, value: int) -> None:
    if event == "card" and not value:
        remembered.save()


def main() -> int:
    """Run the counter process; return its exit code."""
    parser = argparse.ArgumentParser(prog="besnik.sim.counter", description="The virtual counter.")
    parser.add_argument("--folder", type=Path, required=True, help="where the sockets go")
    parser.add_argument("--cards", type=Path, required=True, help="JSON list of cards")
    parser.add_argument("--pins", type=Path, required=True, help="JSON object: role to GPIO")
    args = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(name)s: %(message)s")
    try:
        desk = set_up(args.cards, args.pins)
        kept = Remembered(args.cards.with_suffix(".kept.json"), desk.board.cards)
        asyncio.run(run(desk, args.folder, kept))
    except (SetupError, OSError) as error:
        print(f"counter: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
