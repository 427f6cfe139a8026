"""The commands on foreign CRMs."""

from __future__ import annotations

import argparse


def add(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the commands of this file."""
    crm = commands.add_parser("crm", help="the shop's other CRM: what Besnik asks and tells it")
    what = crm.add_subparsers(title="commands", metavar="COMMAND", required=True)
    run = what.add_parser("run", help="speak with the CRMs of all programs, until it is stopped")
    run.set_defaults(action=_run)


def _run(_: argparse.Namespace) -> int:
    from besnik.crm.__main__ import main as crm

    return crm()
