"""What visits earn in each program, decoded once for each version."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable
from typing import Final

from besnik.loyalty.money import Currency
from besnik.loyalty.program import Program, decode
from besnik.loyalty.visits import VisitRules

# Versions beyond these are forgotten and read again.
_REMEMBERED: Final = 256

# Rows of versions, and their documents.
Documents = Callable[[Collection[int]], Iterable[tuple[int, str]]]


class Rulebook:
    """The rules of visits by the row of their version; a version never changes."""

    def __init__(self) -> None:
        self._by_version: dict[int, VisitRules] = {}

    def learn(self, versions: Collection[int | None], documents: Documents) -> None:
        """Read those of the versions that are not known; RuleError if one is no program."""
        missing = {each for each in versions if each is not None} - self._by_version.keys()
        if not missing:
            return
        if len(self._by_version) >= _REMEMBERED:
            self._by_version.clear()
        for version, document in documents(missing):
            self._by_version[version] = VisitRules(decode(document))

    def rules(self, program: int, version: int | None) -> VisitRules:
        """Return the rules of a version that was learned; without one, visits earn nothing."""
        if version is None:
            nothing = Program(id=program, name="", currency=Currency.named("EUR"), zone="UTC")
            return VisitRules(nothing)
        return self._by_version[version]
