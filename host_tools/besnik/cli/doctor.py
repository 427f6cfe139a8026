"""What is wrong with a reader."""

from __future__ import annotations

import argparse
import os
import re
from typing import TYPE_CHECKING

from besnik.contract import ID_PATTERN

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
        metavar="PORT|READER",
        help="the serial port of its cable, as in /dev/ttyUSB0; or its id, when it is on line",
    )
    doctor.set_defaults(action=_doctor)


def _doctor(chosen: argparse.Namespace) -> int:
    from besnik.fleet.doctor import command

    # A reader's id has none of these (contract.ID_PATTERN); a port on Windows is in capitals.
    is_port = not re.fullmatch(ID_PATTERN, chosen.where)
    return (command.at_port if is_port else command.at_reader)(chosen.where, _look)


def _look(reader: str) -> Records:
    """Look a reader up in the shop's records; RecordsError."""
    import django
    from django.db import Error

    from besnik.config import ConfigError
    from besnik.fleet.doctor.services import Records, RecordsError

    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "besnik.site.settings")
    try:
        django.setup()
        from besnik.store import readers_known

        known = readers_known.find(reader)
    except ConfigError as error:
        raise RecordsError(str(error)) from error
    except Error as error:
        raise RecordsError(f"{error}; has besnik store migrate run?") from error
    return Records(known.shop, known.crm, known.breaker, known.why)
