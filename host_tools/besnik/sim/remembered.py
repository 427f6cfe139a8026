"""What cards keep without power, in a file: the read counters of the NTAG 424 DNA cards.

A counter process that began again at zero would be taken for a replay by whoever checks the
counters.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping
from pathlib import Path

from besnik.sim.model.picc import Picc
from besnik.sim.model.wallet import count_of, set_count

# Reads that a process which was killed may have had since it last saved. Whoever checks the
# counters allows gaps.
UNSAVED_MAX = 16

log = logging.getLogger("counter")


class Remembered:
    """The counters of ``cards`` in ``file``: a JSON object, card key to count."""

    def __init__(self, file: Path, cards: Mapping[str, Picc]) -> None:
        self._file = file
        self._cards = cards
        self._saved: dict[str, int] = {}

    def load(self) -> None:
        """Give the cards what the file says; a file that cannot be read is as none."""
        try:
            stored = json.loads(self._file.read_text(encoding="utf-8"))
        except FileNotFoundError:
            return
        except (OSError, ValueError) as error:
            log.warning("%s: cannot be read, read counters start again: %s", self._file, error)
            return
        for key, count in stored.items() if isinstance(stored, dict) else ():
            if key in self._cards and isinstance(count, int) and count >= 0:
                begun = count_of(self._cards[key]) or 0
                set_count(self._cards[key], max(begun, count + UNSAVED_MAX))

    def save(self) -> None:
        """Write the counters down if one has changed."""
        counts = {key: count_of(card) for key, card in self._cards.items()}
        known = {key: count for key, count in counts.items() if count is not None}
        if known == self._saved or not any(known.values()):
            return
        new = self._file.with_suffix(".new")
        try:
            new.write_text(json.dumps(known), encoding="utf-8")
            new.replace(self._file)
        except OSError as error:
            log.warning("%s: read counters are not kept: %s", self._file, error)
        else:
            self._saved = known
