"""``besnik fleet doctor``: what it prints and returns."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from itertools import chain
from pathlib import Path

from besnik import config
from besnik.bytecode import CompileError
from besnik.fleet import settings
from besnik.fleet.doctor.at_port import of_parts, of_way
from besnik.fleet.doctor.bench import Bench
from besnik.fleet.doctor.finding import Finding, summary
from besnik.fleet.doctor.person import AtTerminal
from besnik.fleet.doctor.services import Look
from besnik.fleet.usb import BoardError, opened


def at_port(port: str, look: Look) -> int:
    """Examine the reader on a serial port; return 0 when nothing is wrong, 1 when something is."""
    try:
        shop = config.load()
        with opened(port) as board:
            try:
                bench = Bench(board)
                parts = of_parts(bench, AtTerminal(), _drawing(bench, shop))
                findings = shown(chain(parts, of_way(bench, shop, look)))
            finally:
                board.reset()
    except (BoardError, CompileError, config.ConfigError, OSError) as error:
        print(f"besnik fleet doctor: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("\nbesnik fleet doctor: stopped", file=sys.stderr)
        return 130
    return 1 if any(finding.state == "wrong" for finding in findings) else 0


def shown(findings: Iterable[Finding]) -> list[Finding]:
    """Print findings as they come, and which part to begin with; return them."""
    seen = []
    for finding in findings:
        seen.append(finding)
        print("\n".join(finding.lines()), flush=True)
    print(summary(seen), flush=True)
    return seen


def _drawing(bench: Bench, shop: config.Config) -> Path | None:
    """Return where a reader's drawing goes: beside its settings, if this machine keeps them."""
    reader = bench.settings.get("reader")
    folder = settings.path_of(Path(shop.state), reader).parent if reader else None
    return folder / "antenna.svg" if folder and folder.is_dir() else None
