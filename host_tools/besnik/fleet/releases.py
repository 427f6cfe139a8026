"""The releases of a host in memory: found in its folder, checked, given out in parts."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Final

from besnik.fleet import release, signing
from besnik.fleet.release import Release, ReleaseError
from besnik.fleet.signing import SigningError

_log = logging.getLogger(__name__)

# In memory, 100 KB each: no reader is sent an older one any more.
KEPT: Final = 8


class Releases:
    """The newest releases of a host; what is no good is passed over, and said once."""

    def __init__(self, state: Path) -> None:
        self._folder = release.folder_of(state)
        self._public = release.public_file(state)
        self._good: dict[int, Release] = {}
        self._said: set[str] = set()

    def part(self, number: int, piece: int, offset: int) -> bytes | None:
        """Return what a reader asks for; None if there is no such thing."""
        found = self._good.get(number)
        return found.part(piece, offset) if found else None

    def look(self) -> list[Release]:
        """Look into the folder, and return the good releases, the oldest first."""
        folders = release.folders(self._folder)[-KEPT:]
        numbers = {int(folder.name) for folder in folders}
        self._good = {number: self._good[number] for number in numbers & self._good.keys()}
        new = [folder for folder in folders if int(folder.name) not in self._good]
        problems: set[str] = set()
        for folder in new:
            try:
                # Asked anew each time: the key may come after the first release.
                found = release.load(folder, signing.load_public(self._public))
            except (ReleaseError, SigningError) as error:
                problems.add(str(error))
            else:
                self._good[found.manifest.number] = found
                _log.info("release %d, version %s", found.manifest.number, found.manifest.version)
        for problem in sorted(problems - self._said):
            _log.error("%s", problem)
        self._said = problems
        return [self._good[number] for number in sorted(self._good)]
