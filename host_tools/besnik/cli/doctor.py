"""What is wrong with a reader."""

from __future__ import annotations

import argparse
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from besnik.fleet.doctor.services import Records


def add(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command of this file to those of the fleet."""
    doctor = commands.add_parser(
        "doctor",
        help="find what is wrong with a reader, from its wires to the CRM, and what to do about it",
    )
    doctor.add_argument(
        "where",
        nargs="*",
        metavar="PORT|READER",
        help="the serial port of its cable, as in /dev/ttyUSB0; or its id, when it is on line;"
        " several are examined at once",
    )
    doctor.add_argument("--all", action="store_true", help="every connected board at once")
    doctor.set_defaults(action=_doctor)


def _doctor(chosen: argparse.Namespace) -> int:
    from besnik.fleet.doctor import command

    if chosen.all and chosen.where:
        return _misused("--all are all that are connected: leave out PORT and READER")
    if not chosen.all and not chosen.where:
        return _misused("say which: PORT or READER, or --all")
    if len(chosen.where) == 1:
        return command.one(chosen.where[0], _look)
    return command.at_once(chosen.where, _look)


def _misused(why: str) -> int:
    print(f"besnik fleet doctor: {why}", file=sys.stderr)
    return 2


def _look(reader: str) -> Records:
    """Look a reader up in the shop's records; RecordsError."""
    from besnik.fleet.doctor.services import Records, RecordsError
    from besnik.fleet.records import UnreadableError, looked_at

    def find() -> Records:
        from besnik.store import readers_known

        known = readers_known.find(reader)
        return Records(known.shop, known.crm, known.breaker, known.why)

    try:
        return looked_at(find)
    except UnreadableError as error:
        raise RecordsError(str(error)) from error
