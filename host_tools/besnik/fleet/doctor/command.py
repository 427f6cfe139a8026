"""``besnik fleet doctor``: what it prints and returns."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Sequence

from besnik import config
from besnik.fleet.doctor import several
from besnik.fleet.doctor.finding import Finding, summary
from besnik.fleet.doctor.person import AtTerminal
from besnik.fleet.doctor.services import Look
from besnik.fleet.doctor.table import status, table
from besnik.fleet.doctor.ward import Ward
from besnik.fleet.terminal import FAILURES, connected


def one(where: str, look: Look) -> int:
    """Examine the reader on a serial port, or one that is on line by its id.

    Returns 0 when nothing is wrong, 1 when something is, 2 when it cannot be examined.
    """
    return _status(lambda: _one(where, Ward(config.load(), look)))


def at_once(names: Sequence[str], look: Look) -> int:
    """Examine several readers at once, by their ports or ids; without names all boards connected.

    Returns the status as for one, of whatever is worst.
    """
    return _status(lambda: _at_once(names, Ward(config.load(), look)))


def _status(work: Callable[[], int]) -> int:
    try:
        return work()
    except FAILURES as error:
        print(f"besnik fleet doctor: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("\nbesnik fleet doctor: stopped", file=sys.stderr)
        return 130


def _one(where: str, ward: Ward) -> int:
    person = AtTerminal()
    if several.is_port(where):
        with ward.bench(where) as bench:
            findings = _shown(ward.at_bench(bench, person))
    else:
        findings = _shown(ward.at_reader(where, person))
    return 1 if any(finding.state == "wrong" for finding in findings) else 0


def _at_once(names: Sequence[str], ward: Ward) -> int:
    examined = several.examine(ward, connected(names))
    print("\n" + "\n".join(table(examined)), flush=True)
    return status(examined)


def _shown(findings: Iterable[Finding]) -> list[Finding]:
    """Print findings as they come, and which part to begin with; return them."""
    seen = []
    for finding in findings:
        seen.append(finding)
        print("\n".join(finding.lines()), flush=True)
    print(summary(seen), flush=True)
    return seen
