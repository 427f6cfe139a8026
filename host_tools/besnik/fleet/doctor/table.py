"""What was found of several readers: what is wrong on which, in one table."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

import msgspec

from besnik.fleet.doctor.finding import Finding, summary

_ALL: Final = "all of them"


class Examined(msgspec.Struct, frozen=True):
    """A reader, as it was named (``where``) and by its id, empty if unknown, and its findings.

    ``why`` says why it could not be examined to the end, empty if it was.
    """

    where: str
    reader: str
    findings: Sequence[Finding]
    why: str = ""

    @property
    def wrong(self) -> list[Finding]:
        """Return what is wrong, what comes first first."""
        return [finding for finding in self.findings if finding.state == "wrong"]

    @property
    def is_well(self) -> bool:
        """Return whether it was examined and nothing is wrong."""
        return not self.why and not self.wrong

    @property
    def name(self) -> str:
        """Return how it stands in the table."""
        return self.where if self.reader in ("", self.where) else f"{self.where} {self.reader}"


def table(examined: Sequence[Examined]) -> list[str]:
    """Return the rows; what is wrong with all that were examined, as a broker, is said once."""
    common = _common(examined)
    width = max(len(name) for name in (*(each.name for each in examined), _ALL if common else ""))
    rows = list(_rows(_ALL, [line for finding in common for line in finding.lines()], width))
    for each in examined:
        rows += _rows(each.name, _says(each, common), width)
    well = sum(each.is_well for each in examined)
    return [*rows, f"{well} of {len(examined)} are well"]


def status(examined: Sequence[Examined]) -> int:
    """Return 0 when nothing is wrong, 1 when something is, 2 when one could not be examined."""
    if any(each.why for each in examined):
        return 2
    return 0 if all(each.is_well for each in examined) else 1


def _common(examined: Sequence[Examined]) -> list[Finding]:
    seen = [each for each in examined if not each.why]
    if len(seen) < 2:
        return []
    return [finding for finding in seen[0].wrong if all(finding in each.wrong for each in seen)]


def _says(each: Examined, common: Sequence[Finding]) -> list[str]:
    own = [finding for finding in each.wrong if finding not in common]
    lines = [line for finding in own for line in finding.lines()]
    if each.why:
        return [*lines, "not examined: " + " ".join(each.why.split())]
    if lines:
        return lines
    rest = summary([finding for finding in each.findings if finding not in common])
    return [rest.replace("nothing is", "nothing else is") if common else rest]


def _rows(name: str, lines: Sequence[str], width: int) -> Iterator[str]:
    for line in lines:
        yield f"{name:{width}}  {line}"
        name = ""
