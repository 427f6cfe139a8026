"""The command ``besnik``: one door to every room.

Rooms are imported when their command is run, so that each starts with no more than it needs.
"""

from __future__ import annotations

import argparse

from besnik.cli import crm, fleet, office, shop, sim

_SETTINGS = "Settings come from besnik.toml in this folder, or from the file BESNIK_CONFIG names."


def main(arguments: list[str] | None = None) -> int:
    """Run one command; return its exit status."""
    parser = argparse.ArgumentParser(
        prog="besnik",
        description="The loyalty system a shop can own: an NFC reader and the CRM behind it.",
        epilog=_SETTINGS,
    )
    commands = parser.add_subparsers(title="commands", metavar="COMMAND", required=True)
    for part in (shop, office, crm, fleet, sim):
        part.add(commands)
    chosen = parser.parse_args(arguments)
    status: int = chosen.action(chosen)
    return status
