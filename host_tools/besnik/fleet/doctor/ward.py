"""The shop whose readers are examined, from this machine."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import chain
from pathlib import Path

import msgspec

from besnik import config
from besnik.fleet import cert, settings
from besnik.fleet.doctor.at_port import of_way
from besnik.fleet.doctor.at_reader import examine
from besnik.fleet.doctor.bench import Bench
from besnik.fleet.doctor.finding import Finding
from besnik.fleet.doctor.parts import CARD_S, of_parts
from besnik.fleet.doctor.person import Person
from besnik.fleet.doctor.services import Look
from besnik.fleet.settings import SettingsError
from besnik.fleet.usb import opened


class Ward(msgspec.Struct, frozen=True):
    """What this machine knows of the shop, and how it looks a reader up in its records."""

    shop: config.Config
    look: Look

    @contextmanager
    def bench(self, port: str, is_wanted: Callable[[], bool] = lambda: True) -> Iterator[Bench]:
        """Yield the board on a port, to be examined; it starts anew afterwards. BoardError.

        It awaits no card any more when it is not wanted.
        """
        with opened(port) as board:
            try:
                yield Bench(board, is_wanted)
            finally:
                # After Ctrl-C here something may still run there, and wait for a card.
                board.stop()
                board.reset()

    def at_bench(self, bench: Bench, person: Person, card_s: int = CARD_S) -> Iterator[Finding]:
        """Yield what is found of a board; a card is awaited for ``card_s``. BoardError."""
        drawn = self._drawing(bench.settings.get("reader"))
        return chain(of_parts(bench, person, drawn, card_s), of_way(bench, self.shop, self.look))

    def at_reader(self, reader: str, person: Person) -> Iterator[Finding]:
        """Yield what is found of a reader that is on line.

        CertificateError if that is no reader's id, SettingsError if this machine does not know it.
        """
        cert.check_id(reader)
        kept = settings.kept(Path(self.shop.state), reader)
        if not kept:
            raise SettingsError(
                f"this machine keeps no settings of {reader!r}: run this where it was flashed, or"
                " plug it in and name its serial port"
            )
        known, drawn = settings.check(kept), self._drawing(reader)
        return examine(self.shop, known, person, drawn, self.look)

    def _drawing(self, reader: str | None) -> Path | None:
        """Return where a reader's drawing goes: beside its settings, if this machine keeps them."""
        folder = settings.path_of(Path(self.shop.state), reader).parent if reader else None
        return folder / "antenna.svg" if folder and folder.is_dir() else None
