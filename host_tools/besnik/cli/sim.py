"""Parts of the virtual counter, one by one."""

from __future__ import annotations

import argparse
from pathlib import Path


def add(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the commands of this file."""
    sim = commands.add_parser("sim", help="parts of the virtual counter, one by one")
    parts = sim.add_subparsers(title="commands", metavar="COMMAND", required=True)
    _add_serve_spi(parts)
    board = parts.add_parser(
        "board", help="a virtual ESP32 behind a serial port, for mpremote and besnik fleet flash"
    )
    board.add_argument("folder", type=Path, metavar="DIR", help="where its files are, and its port")
    wired = board.add_mutually_exclusive_group()
    wired.add_argument(
        "--cards", type=Path, metavar="FILE", help="JSON list of cards (default: one card)"
    )
    wired.add_argument(
        "--spi", type=Path, metavar="SOCKET", help="the RC522 of besnik sim serve-spi, not its own"
    )
    board.set_defaults(action=_board)


def _add_serve_spi(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    serve_spi = commands.add_parser(
        "serve-spi",
        help="the RC522 model behind a socket, for drivers of any language (docs/drivers.md)",
    )
    where = serve_spi.add_mutually_exclusive_group(required=True)
    where.add_argument("--socket", type=Path, metavar="PATH", help="a Unix socket to make")
    where.add_argument(
        "--tcp", type=int, metavar="PORT", help="a port of this machine; 0: any that is free"
    )
    serve_spi.add_argument(
        "--cards", type=Path, required=True, metavar="FILE", help="JSON list of cards"
    )
    serve_spi.add_argument(
        "--present",
        action="append",
        metavar="KEY",
        help="a card that is in the field from the start (default: the first; can be given again)",
    )
    serve_spi.add_argument(
        "--control", type=Path, metavar="PATH", help="a second socket, to present and remove cards"
    )
    serve_spi.add_argument(
        "--chip",
        type=lambda text: int(text, 0),
        default=0x92,
        metavar="VERSION",
        help="what VersionReg reads (default: 0x92)",
    )
    serve_spi.set_defaults(action=_serve_spi)


def _board(chosen: argparse.Namespace) -> int:
    from besnik.fleet.build import ROOT
    from besnik.sim.board import main as board

    return board(chosen.folder, ROOT, cards=chosen.cards, spi=chosen.spi)


def _serve_spi(chosen: argparse.Namespace) -> int:
    from besnik.sim import serve_spi

    request = serve_spi.Request(
        cards=chosen.cards,
        path=chosen.socket,
        port=chosen.tcp,
        present=chosen.present,
        control=chosen.control,
        version=chosen.chip,
    )
    return serve_spi.main(request)
