"""``besnik fleet doctor``: what it prints and returns."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable
from itertools import chain
from pathlib import Path

from besnik import config
from besnik.bytecode import CompileError
from besnik.fleet import cert, settings
from besnik.fleet.doctor.at_port import of_way
from besnik.fleet.doctor.at_reader import examine
from besnik.fleet.doctor.bench import Bench
from besnik.fleet.doctor.finding import Finding, summary
from besnik.fleet.doctor.parts import of_parts
from besnik.fleet.doctor.person import AtTerminal
from besnik.fleet.doctor.services import Look
from besnik.fleet.register import CertificateError
from besnik.fleet.settings import SettingsError
from besnik.fleet.usb import BoardError, opened
from besnik.unix_port import UnixPortError


def at_port(port: str, look: Look) -> int:
    """Examine the reader on a serial port; return 0 when nothing is wrong, 1 when something is."""
    return _status(lambda: _at_port(port, config.load(), look))


def at_reader(reader: str, look: Look) -> int:
    """Examine a reader that is on line; return 0 when nothing is wrong, 1 when something is."""
    return _status(lambda: _at_reader(reader, config.load(), look))


def _status(work: Callable[[], list[Finding]]) -> int:
    try:
        findings = work()
    except (
        BoardError,
        CertificateError,
        CompileError,
        SettingsError,
        UnixPortError,
        config.ConfigError,
        OSError,
    ) as error:
        print(f"besnik fleet doctor: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("\nbesnik fleet doctor: stopped", file=sys.stderr)
        return 130
    return 1 if any(finding.state == "wrong" for finding in findings) else 0


def _at_port(port: str, shop: config.Config, look: Look) -> list[Finding]:
    with opened(port) as board:
        try:
            bench = Bench(board)
            parts = of_parts(bench, AtTerminal(), _drawing(bench.settings.get("reader"), shop))
            return shown(chain(parts, of_way(bench, shop, look)))
        finally:
            board.reset()


def _at_reader(reader: str, shop: config.Config, look: Look) -> list[Finding]:
    cert.check_id(reader)
    kept = settings.kept(Path(shop.state), reader)
    if not kept:
        raise SettingsError(
            f"this machine keeps no settings of {reader!r}: run this where it was flashed, or plug"
            " it in and name its serial port"
        )
    drawn = _drawing(reader, shop)
    return shown(examine(shop, settings.check(kept), AtTerminal(), drawn, look))


def shown(findings: Iterable[Finding]) -> list[Finding]:
    """Print findings as they come, and which part to begin with; return them."""
    seen = []
    for finding in findings:
        seen.append(finding)
        print("\n".join(finding.lines()), flush=True)
    print(summary(seen), flush=True)
    return seen


def _drawing(reader: str | None, shop: config.Config) -> Path | None:
    """Return where a reader's drawing goes: beside its settings, if this machine keeps them."""
    folder = settings.path_of(Path(shop.state), reader).parent if reader else None
    return folder / "antenna.svg" if folder and folder.is_dir() else None
