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
    _add_flash(commands)
    provision = commands.add_parser(
        "provision",
        parents=[_settings()],
        help="give settings to a reader that has none: it waits 120 s for them when it is plugged"
        " in, its light red and green in turn",
        epilog=_KEPT,
    )
    _add_boards(provision)
    provision.add_argument(
        "--again", action="store_true", help="make it forget first what it was given before"
    )
    provision.set_defaults(action=_provision)


_KEPT = (
    "What is given once is kept with the reader. The Wi-Fi's password is asked for, or taken from"
    " BESNIK_WIFI_PASSWORD."
)
_SEVERAL = "several boards at once: with --all"


def _settings() -> argparse.ArgumentParser:
    settings = argparse.ArgumentParser(add_help=False)
    settings.add_argument("--shop", default="", metavar="ID", help="the shop it stands in")
    settings.add_argument(
        "--till", default="", metavar="ID", help="its till, if the shop has several (when new)"
    )
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


def _add_boards(command: argparse.ArgumentParser) -> None:
    command.add_argument(
        "reader",
        nargs="?",
        default="",
        metavar="READER",
        help="its id: 1 to 16 of a-z, 0-9 and hyphen; with --all the first part of their ids."
        " A board that is known needs none, a new one is then called after its shop",
    )
    command.add_argument(
        "--all", action="store_true", help="every connected board at once: READER-1, READER-2, …"
    )
    command.add_argument(
        "--drop-taps",
        action="store_true",
        help="lose the taps that wait on a board which becomes another reader, or is erased",
    )
    command.add_argument(
        "--port",
        action="append",
        default=[],
        help="the serial port (default: the only board); with --all can be given again",
    )


def _add_flash(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    flash = commands.add_parser(
        "flash",
        parents=[_settings()],
        help="make a reader of a connected board: application, settings, certificate; sees it work",
        epilog=_KEPT,
    )
    _add_boards(flash)
    flash.add_argument(
        "--blank",
        action="store_true",
        help="without READER: the application alone; the settings come later, by provision",
    )
    flash.add_argument(
        "--image", type=Path, metavar="FILE", help="MicroPython to write first, for a bare board"
    )
    flash.add_argument(
        "--bare",
        action="store_true",
        help="the same with the newest image for its chip that is kept in images/ of the state"
        " folder",
    )
    flash.add_argument(
        "--loader",
        action="append",
        default=[],
        metavar="PORT",
        help="the port of its boot loader, if another; with --all one for each --port",
    )
    flash.set_defaults(action=_flash)


def _flash(chosen: argparse.Namespace) -> int:
    from besnik.fleet import flash_all, flash_command

    if chosen.loader and len(chosen.loader) != len(chosen.port):
        return _misused("flash", "give one --loader for each --port")
    if chosen.blank and chosen.reader:
        return _misused("flash", "--blank boards have no READER yet")
    is_bare = chosen.bare or chosen.image is not None
    if not chosen.all and len(chosen.port) > 1:
        return _misused("flash", _SEVERAL)
    if chosen.all or not (chosen.reader or chosen.blank):
        boards = flash_all.Boards(
            ports=tuple(chosen.port),
            loaders=tuple(chosen.loader),
            is_bare=is_bare,
            image=chosen.image,
            may_drop=chosen.drop_taps,
            is_one=not chosen.all,
        )
        if chosen.blank:
            return flash_all.main_blank(boards)
        return flash_all.main(_order(chosen), boards)
    bench = flash_command.Bench(
        port="".join(chosen.port),
        is_bare=is_bare,
        image=chosen.image,
        loader="".join(chosen.loader),
        may_drop=chosen.drop_taps,
    )
    if chosen.blank:
        return flash_command.main_blank(bench)
    return flash_command.main(_order(chosen), bench)


def _provision(chosen: argparse.Namespace) -> int:
    from besnik.fleet import provision_command

    if chosen.all:
        return provision_command.main_all(_order(chosen), chosen.port, again=chosen.again)
    if len(chosen.port) > 1:
        return _misused("provision", _SEVERAL)
    if not chosen.reader:
        return _misused("provision", "say who it is to be: READER")
    return provision_command.main(_order(chosen), "".join(chosen.port), again=chosen.again)


def _misused(command: str, why: str) -> int:
    print(f"besnik fleet {command}: {why}", file=sys.stderr)
    return 2


def _order(chosen: argparse.Namespace) -> Order:
    from besnik.fleet.order import Order

    return Order(
        reader=chosen.reader,
        shop=chosen.shop,
        wifi=chosen.wifi,
        host=chosen.host,
        changes=dict(each.partition("=")[::2] for each in chosen.set),
        waits_for_tap=not chosen.no_tap,
        till=chosen.till,
        may_drop=chosen.drop_taps,
    )
