"""The command ``besnik``: one door to every room."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

_SETTINGS = "Settings come from besnik.toml in this folder, or from the file BESNIK_CONFIG names."


def main(arguments: list[str] | None = None) -> int:
    """Run one command; return its exit status."""
    chosen = _parser().parse_args(arguments)
    status: int = chosen.action(chosen)
    return status


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="besnik",
        description="The loyalty system a shop can own: an NFC reader and the CRM behind it.",
        epilog=_SETTINGS,
    )
    commands = parser.add_subparsers(title="commands", metavar="COMMAND", required=True)

    run = commands.add_parser(
        "run", help="the whole demo shop on this machine, with a reader that needs no board"
    )
    run.add_argument(
        "--once",
        action="store_true",
        help="present four cards in a shop of their own, compare what happens with what should, "
        "exit 0 if it is the same",
    )
    run.add_argument(
        "--folder",
        type=Path,
        default=Path(".besnik/demo"),
        help="where the demo shop keeps everything (default: %(default)s)",
    )
    run.set_defaults(action=_run)

    bridge = commands.add_parser("bridge", help="answer the readers' taps")
    bridge.set_defaults(action=_bridge)
    site = commands.add_parser("site", help="serve the pages")
    site.set_defaults(action=_site)

    store = commands.add_parser("store", help="prepare the database")
    store.add_argument(
        "step", choices=["migrate", "demo"], help="migrate: make the tables; demo: add a demo shop"
    )
    store.set_defaults(action=_store)

    firmware = commands.add_parser("firmware", help="compile the firmware and show its sizes")
    firmware.add_argument("to", nargs="?", type=Path, default=Path("build/firmware"), metavar="DIR")
    firmware.set_defaults(action=_firmware)
    return parser


def _run(chosen: argparse.Namespace) -> int:
    from besnik.run import supervisor

    return supervisor.main(chosen.folder, once=chosen.once)


def _bridge(_: argparse.Namespace) -> int:
    from besnik.bridge.__main__ import main as bridge

    return bridge()


def _site(_: argparse.Namespace) -> int:
    from besnik.site.__main__ import main as site

    return site()


def _store(chosen: argparse.Namespace) -> int:
    from besnik.store.__main__ import main as store

    return store([chosen.step])


def _firmware(chosen: argparse.Namespace) -> int:
    from besnik.fleet.build import main as firmware

    return firmware([str(chosen.to)])


if __name__ == "__main__":
    sys.exit(main())
