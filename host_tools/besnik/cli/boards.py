"""The commands on a board at a cable: flash, provision."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from besnik.fleet.order import Order


def add(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the commands of this file to those of ``besnik fleet``."""
    table = argparse.ArgumentParser(add_help=False)
    table.add_argument("--port", default="", help="its serial port (default: the only board)")
    _add_flash(commands, table, _settings())
    provision = commands.add_parser(
        "provision",
        parents=[table, _settings()],
        help="give settings to a reader that has none: it waits 120 s for them when it is plugged"
        " in, its light red and green in turn",
        epilog=_KEPT,
    )
    provision.add_argument("reader", metavar="READER", help=_ID)
    provision.add_argument(
        "--again", action="store_true", help="make it forget first what it was given before"
    )
    provision.set_defaults(action=_provision)


_ID = "its id: 1 to 16 of a-z, 0-9 and hyphen"
_KEPT = (
    "What is given once is kept with the reader. The Wi-Fi's password is asked for, or taken from"
    " BESNIK_WIFI_PASSWORD."
)


def _settings() -> argparse.ArgumentParser:
    settings = argparse.ArgumentParser(add_help=False)
    settings.add_argument("--shop", default="", metavar="ID", help="the shop it stands in")
    settings.add_argument("--wifi", default="", metavar="NETWORK", help="the name of the Wi-Fi")
    settings.add_argument(
        "--host", default="", help="where it finds the broker (default: as its certificate says)"
    )
    settings.add_argument(
        "--set",
        action="append",
        default=[],
        metavar="KEY=VALUE",
        help="any other setting, as in pins.irq=4 (can be given again)",
    )
    settings.add_argument("--no-tap", action="store_true", help="do not wait for a first card")
    return settings


def _add_flash(
    commands: argparse._SubParsersAction[argparse.ArgumentParser],
    table: argparse.ArgumentParser,
    settings: argparse.ArgumentParser,
) -> None:
    flash = commands.add_parser(
        "flash",
        parents=[table, settings],
        help="make a reader of a connected board: application, settings, certificate; sees it work",
        epilog=_KEPT,
    )
    flash.add_argument("reader", nargs="?", metavar="READER", help=_ID)
    flash.add_argument(
        "--blank",
        action="store_true",
        help="without READER: the application alone; the settings come later, by provision",
    )
    flash.add_argument(
        "--image", type=Path, metavar="FILE", help="MicroPython to write first, for a bare board"
    )
    flash.add_argument(
        "--loader", default="", metavar="PORT", help="the port of its boot loader, if another"
    )
    flash.set_defaults(action=_flash)


def _flash(chosen: argparse.Namespace) -> int:
    from besnik.fleet import flash_command

    if bool(chosen.reader) == chosen.blank:
        print("besnik fleet flash: give either READER or --blank", file=sys.stderr)
        return 2
    bench = flash_command.Bench(port=chosen.port, image=chosen.image, loader=chosen.loader)
    if chosen.blank:
        return flash_command.main_blank(bench)
    return flash_command.main(_order(chosen), bench)


def _provision(chosen: argparse.Namespace) -> int:
    from besnik.fleet import provision_command

    return provision_command.main(_order(chosen), chosen.port, again=chosen.again)


def _order(chosen: argparse.Namespace) -> Order:
    from besnik.fleet.order import Order

    return Order(
        reader=chosen.reader,
        shop=chosen.shop,
        wifi=chosen.wifi,
        host=chosen.host,
        changes=dict(each.partition("=")[::2] for each in chosen.set),
        waits_for_tap=not chosen.no_tap,
    )
