"""The readers: firmware, flashing, certificates."""

from __future__ import annotations

import argparse
from pathlib import Path

from besnik.cli import boards, doctor, updates


def add(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the commands of this file."""
    firmware = commands.add_parser("firmware", help="compile the firmware and show its sizes")
    firmware.add_argument("to", nargs="?", type=Path, default=Path("build/firmware"), metavar="DIR")
    firmware.set_defaults(action=_firmware)

    fleet = commands.add_parser("fleet", help="the readers: make one of a board, certificates")
    _add_fleet(fleet.add_subparsers(title="commands", metavar="COMMAND", required=True))


def _add_fleet(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    renew = argparse.ArgumentParser(add_help=False)
    renew.add_argument("--renew", action="store_true", help="a new one, however good the old is")
    ca = commands.add_parser(
        "ca",
        parents=[renew],
        help="make the shop's authority and the broker's certificate; show all that is issued",
    )
    ca.add_argument(
        "--name",
        action="append",
        default=[],
        help="a host name or address by which readers reach the broker (can be given again)",
    )
    ca.set_defaults(action=_fleet_ca)
    cert = commands.add_parser("cert", parents=[renew], help="make a reader's certificate")
    cert.add_argument("reader", metavar="READER", help="its id, as in its config.json")
    cert.set_defaults(action=_fleet_cert)
    boards.add(commands)
    password = commands.add_parser(
        "password", help="show the password of a reader without TLS ([broker] plain = true)"
    )
    password.add_argument("reader", metavar="READER")
    password.set_defaults(action=_fleet_password)
    revoke = commands.add_parser("revoke", help="take back every certificate of a reader")
    revoke.add_argument("reader", metavar="READER")
    revoke.set_defaults(action=_fleet_revoke)
    updates.add(commands)
    doctor.add(commands)


def _firmware(chosen: argparse.Namespace) -> int:
    from besnik.fleet.build import main as firmware

    return firmware([str(chosen.to)])


def _fleet_ca(chosen: argparse.Namespace) -> int:
    from besnik.fleet import command

    return command.make_authority(chosen.name, renew=chosen.renew)


def _fleet_cert(chosen: argparse.Namespace) -> int:
    from besnik.fleet import command

    return command.make_certificate(chosen.reader, renew=chosen.renew)


def _fleet_password(chosen: argparse.Namespace) -> int:
    from besnik.fleet import command

    return command.show_password(chosen.reader)


def _fleet_revoke(chosen: argparse.Namespace) -> int:
    from besnik.fleet import command

    return command.revoke(chosen.reader)
