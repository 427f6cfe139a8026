"""``besnik fleet doctor`` on several readers at once: a line for each, then one table."""

from __future__ import annotations

import re
import threading
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Final

from besnik.contract import ID_PATTERN
from besnik.fleet.doctor.finding import Finding
from besnik.fleet.doctor.parts import CARD_S
from besnik.fleet.doctor.table import Examined
from besnik.fleet.doctor.ward import Ward
from besnik.fleet.lines import Lines
from besnik.fleet.terminal import FAILURES
from besnik.fleet.usb import BoardError

# Somebody with one card goes from reader to reader; each is measured for ten seconds.
_CARD_S_EACH: Final = 15


def is_port(where: str) -> bool:
    """Return whether a serial port is meant, and not a reader's id; BoardError if neither is."""
    if re.fullmatch(ID_PATTERN, where):
        return False
    # An id has none of a port's signs: /dev/ttyUSB0, COM3, and socket://… of pyserial.
    if not re.search(r"[/\\]|^COM[0-9]+$", where):
        raise BoardError(
            f"{where!r} is neither a reader's id, which has lower-case letters, digits and hyphens,"
            " nor a serial port, as in /dev/ttyUSB0 or COM3"
        )
    return True


def examine(ward: Ward, names: Sequence[str]) -> list[Examined]:
    """Examine readers by their ports or ids, each in a thread; return what is found of each.

    On KeyboardInterrupt each ends what it is at, and starts its reader anew.
    """
    round_ = _Round(ward, names)
    with ThreadPoolExecutor(len(names)) as pool:
        try:
            return list(pool.map(round_.see, names))
        except KeyboardInterrupt:
            round_.is_over.set()
            raise


class _AtTable:
    """A `Person` among several readers, who reads their lines and cannot look at every light."""

    def __init__(self, lines: Lines, where: str) -> None:
        self.tell = partial(lines.say, where)

    def draw(self, lines: Sequence[str]) -> None:
        """Show nothing: the drawing of each is kept in a file."""

    def choose(self, question: str, answers: Mapping[str, str]) -> str | None:
        """Answer nothing."""


class _Round:
    def __init__(self, ward: Ward, names: Sequence[str]) -> None:
        self.is_over = threading.Event()
        self._ward = ward
        self._lines = Lines(names)
        self._card_s = CARD_S + _CARD_S_EACH * (len(names) - 1)

    def see(self, where: str) -> Examined:
        """Examine one; what goes wrong is on its line."""
        findings: list[Finding] = []
        reader = ""
        person = _AtTable(self._lines, where)
        try:
            if is_port(where):
                self._lines.say(where, "who is it?")
                with self._ward.bench(where, lambda: not self.is_over.is_set()) as bench:
                    reader = bench.settings.get("reader", "")
                    self._take(where, self._ward.at_bench(bench, person, self._card_s), findings)
            else:
                reader = where
                self._take(where, self._ward.at_reader(where, person), findings)
        except FAILURES as error:
            self._lines.say(where, f"FAILED: {error}")
            return Examined(where, reader, findings, str(error))
        self._lines.say(where, "examined")
        return Examined(where, reader, findings)

    def _take(self, where: str, found: Iterable[Finding], findings: list[Finding]) -> None:
        for finding in found:
            findings.append(finding)
            self._lines.say(where, finding.lines()[0])
            if self.is_over.is_set():
                return
