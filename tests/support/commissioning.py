"""Boards on a technician's table become readers, are updated and examined, all at once.

Somebody pulls the cable of one board or another meanwhile, at random moments, and puts it in again.
What a technician does then is done here too: the same command once more.
"""

from __future__ import annotations

import random
import re
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

from support import next_release
from support.processes import Running, wait_until
from support.standing import ENDED, Standing, look, taps
from support.store import rows
from support.technician import ONCE, Technician
from support.usb_board import Board

_STARTS_S = 60
_RUNNING = "SELECT 1 FROM store_rollout WHERE state = 'running'"
_OFF_S = (0.1, 1.0)
# Cables are pulled from a moment after a board's first line on; a pause as long as one of these.
_PAUSES_S = (0.2, 1.0)
# When a reader that updates loses its power: at so many percent, or a little after it is through.
_MOMENTS = (0, ENDED)


class Commissioning:
    """One table of a ``technician``, with ``boards``.

    Each step pulls so many cables meanwhile, and returns the names of those it has bricked: that
    do not become what they are to be when the command is run again. ``pulled`` counts cables,
    ``wait_s`` bounds a command.
    """

    def __init__(
        self,
        technician: Technician,
        boards: Sequence[Board],
        database_url: str,
        chance: random.Random,
        *,
        wait_s: float = 120,
    ) -> None:
        self.pulled = 0
        self.readers: dict[Board, str] = {}
        self._technician = technician
        self._boards = boards
        self._url = database_url
        self._chance = chance
        self._wait_s = wait_s

    def flash(self, pulls: int) -> list[str]:
        """Put the application on bare boards."""
        command = ("flash", "--all", "--blank")
        left = self._tried(command, self._boards, pulls)
        again = self._runs(command, left)
        return bricked(
            [board for board in left if not says(again, board, "waits for its settings")], again
        )

    def make(self, pulls: int) -> list[str]:
        """Put application and settings on bare boards."""
        command = ("flash", "--all", "counter", "--no-tap", *ONCE)
        left = self._tried(command, self._boards, pulls)
        again = self._runs(command, left)
        return bricked([board for board in left if not says(again, board, "is on line")], again)

    def provision(self, pulls: int) -> list[str]:
        """Give settings to readers that wait for them; what is cut off has all of them or none."""
        command = ("provision", "--all", "counter", "--no-tap", *ONCE)
        left = self._tried(command, self._boards, pulls)
        again = self._runs(command, left)
        had_all = [board for board in left if says(again, board, "FAILED")]
        seen = self._runs(("flash", "--all", "--no-tap"), had_all)
        broken = [
            board
            for board in had_all
            if not (says(seen, board, ": 0 of ") and says(seen, board, "is on line"))
        ]
        return bricked(broken, again + seen)

    def update(self, application: dict[str, bytes], state: Path, pulls: int) -> list[str]:
        """Roll `next_release` with this application out to all; ``state`` is the shop's folder."""
        next_release.offer(state, application)
        self._technician.types("serve").wait_for("fleet: ready", _STARTS_S)
        known = "SELECT 1 FROM store_release"
        wait_until(lambda: bool(rows(self._url, known)), "the release is known", _STARTS_S)
        began = self._technician.types("update", "--all", "--first", "counter-1", "--pause", "0")
        assert began.wait(_STARTS_S) == 0, began.log
        self._pull_while_updating(pulls)
        return [
            port(board)
            for board, reader in self.readers.items()
            if self.standing()[reader].update != "kept"
        ]

    def examine_at_cable(self, pulls: int) -> list[str]:
        """Have all told healthy by the doctor, by their ports."""
        return self._examine({port(board): board for board in self._boards}, pulls)

    def examine_on_line(self, pulls: int) -> list[str]:
        """Have all told healthy by the doctor, over the line they have to the broker."""
        return self._examine({reader: board for board, reader in self.readers.items()}, pulls)

    def standing(self) -> Mapping[str, Standing]:
        """Return what the shop's records say of the readers on the table."""
        found = look(self._url)
        return {reader: found[reader] for reader in self.readers.values()}

    def wait_on_line(self, since: Mapping[str, Standing] | None = None) -> None:
        """Return when all readers are on line, ``since`` then by another start; AssertionError."""

        def is_so() -> bool:
            now = self.standing()
            return all(each.state == "online" for each in now.values()) and not any(
                now[reader].boot == before.boot for reader, before in (since or {}).items()
            )

        wait_until(is_so, "all readers are on line", self._wait_s)

    def answer_cards(self) -> None:
        """Return when each has read a card and the shop has answered it; AssertionError."""
        before = taps(self._url)
        for board in self._boards:
            board.lay_card()

        def is_so() -> bool:
            now = taps(self._url)
            return all(now.get(name, 0) > before.get(name, 0) for name in self.readers.values())

        wait_until(is_so, "each has read a card", _STARTS_S)

    def _tried(self, command: Sequence[str], boards: Sequence[Board], pulls: int) -> list[Board]:
        """Run a command and pull cables meanwhile; return the boards that it failed with."""
        running = self._technician.starts(*command, boards=boards)
        gone = self._pull(running, {port(board): board for board in boards}, pulls)
        running.wait(self._wait_s)
        self._note_readers(running.log)
        for board in gone:
            board.plug_in()
        return [board for board in boards if board in gone or says(running.log, board, "FAILED")]

    def _runs(self, command: Sequence[str], boards: Sequence[Board]) -> str:
        if not boards:
            return ""
        running = self._technician.starts(*command, boards=boards)
        running.wait(self._wait_s)
        self._note_readers(running.log)
        return running.log

    def _pull(self, running: Running, boards: Mapping[str, Board], pulls: int) -> list[Board]:
        """Pull cables, in any order, from when the first board is worked on until all is done."""
        gone: list[Board] = []
        pause_s = self._chance.uniform(*_PAUSES_S)
        chosen = self._chance.sample(list(boards), pulls)
        if chosen:
            running.wait_for(f"{chosen[0]}: ", _STARTS_S)
        for name in chosen:
            time.sleep(self._chance.uniform(0, 2 * pause_s))
            if not running.alive:
                break
            boards[name].unplug()
            gone.append(boards[name])
        self.pulled += len(gone)
        return gone

    def _pull_while_updating(self, pulls: int) -> None:
        chosen = self._chance.sample(list(self.readers), pulls)
        moments = {board: self._chance.randrange(*_MOMENTS) for board in chosen}
        deadline = time.monotonic() + self._wait_s
        while time.monotonic() < deadline:
            standing = self.standing()
            for board, moment in list(moments.items()):
                if standing[self.readers[board]].how_far >= moment:
                    del moments[board]
                    self._interrupt(board)
            if not moments and not rows(self._url, _RUNNING):
                return
            time.sleep(0.1)

    def _interrupt(self, board: Board) -> None:
        time.sleep(self._chance.uniform(0, 0.5))
        board.unplug()
        self.pulled += 1
        time.sleep(self._chance.uniform(*_OFF_S))
        board.plug_in()

    def _examine(self, boards: Mapping[str, Board], pulls: int) -> list[str]:
        ill = self._doctor(boards, pulls)
        return self._doctor({name: boards[name] for name in ill}, 0) if ill else []

    def _doctor(self, boards: Mapping[str, Board], pulls: int) -> list[str]:
        """Examine readers; return the names of those that were not told healthy."""
        self.wait_on_line()
        before = {
            self.readers[board]: self.standing()[self.readers[board]] for board in boards.values()
        }
        for board in boards.values():
            board.lay_card()
        running = self._technician.types("doctor", *boards)
        gone = self._pull(running, boards, pulls)
        status = running.wait(self._wait_s)
        for board in gone:
            board.plug_in()
        for board in boards.values():
            if board not in gone:
                board.take_card()
        # Each starts anew when it was examined.
        self.wait_on_line(before)
        if not pulls and status:
            print(running.log, flush=True)
        return [name for name in boards if status and not is_well(running.log, name)]

    def _note_readers(self, log: str) -> None:
        for board in self._boards:
            if found := re.search(rf"^{port(board)}: (counter-\d+): ", log, re.MULTILINE):
                self.readers[board] = found[1]


def port(board: Board) -> str:
    """Return the port of a board as commands print it."""
    return str(board.parts.port)


def bricked(boards: Sequence[Board], log: str) -> list[str]:
    """Return the ports of boards that are no readers, and print what was said of them."""
    for line in log.splitlines():
        if any(line.startswith(f"{port(board)}: ") for board in boards):
            print(line, flush=True)
    return [port(board) for board in boards]


def says(log: str, board: Board, what: str) -> bool:
    """Return whether a command on several boards says that of one of them."""
    return any(what in line for line in log.splitlines() if line.startswith(f"{port(board)}: "))


def is_well(log: str, name: str) -> bool:
    """Return whether the doctor's table says of a port or reader that nothing is wrong."""
    return bool(
        re.search(rf"^{re.escape(name)}( [a-z0-9-]+)?  +nothing is wrong", log, re.MULTILINE)
    )
