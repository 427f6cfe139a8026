"""What is wrong with a reader."""

from __future__ import annotations

import argparse


def add(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command of this file to those of the fleet."""
    doctor = commands.add_parser(
        "doctor",
        help="find what is wrong with a reader, from its wires to the CRM, and what to do about it",
    )
    doctor.add_argument("port", metavar="PORT", help="the serial port of its cable")
    doctor.set_defaults(action=_doctor)


def _doctor(chosen: argparse.Namespace) -> int:
    from besnik.fleet.doctor import command

    return command.at_port(chosen.port)
