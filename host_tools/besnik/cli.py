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
        help="present five cards in a shop of their own, compare what happens with what should, "
        "exit 0 if it is the same",
    )
    run.add_argument(
        "--empty",
        action="store_true",
        help="without the half year of past sales that is written when the shop opens first",
    )
    run.add_argument(
        "--folder",
        type=Path,
        default=Path(".besnik/demo"),
        help="where the demo shop keeps everything (default: %(default)s)",
    )
    run.set_defaults(action=_run)

    bridge = commands.add_parser("bridge", help="answer the readers' taps")
    bridge.add_argument(
        "--instance",
        type=int,
        metavar="N",
        help="number of this bridge, 1 or more, where several share the taps of one PostgreSQL "
        "database (default: bridge.instance of the settings, or 0: the only bridge)",
    )
    bridge.set_defaults(action=_bridge)
    broker = commands.add_parser("broker", help="run mosquitto as the settings want it")
    broker.set_defaults(action=_broker)
    site = commands.add_parser("site", help="serve the pages")
    site.set_defaults(action=_site)

    store = commands.add_parser("store", help="prepare the database")
    store.add_argument(
        "step", choices=["migrate", "demo"], help="migrate: make the tables; demo: add a demo shop"
    )
    store.set_defaults(action=_store)
    check = commands.add_parser(
        "check-ledger", help="whether every entry, account and lot adds up; exit status 1 if not"
    )
    check.set_defaults(action=_check_ledger)
    jobs = commands.add_parser(
        "jobs", help="keep doing what is due by the clock: expiry, holds that ended, tiers"
    )
    jobs.add_argument("--once", action="store_true", help="do what is due now, then leave")
    jobs.set_defaults(action=_jobs)

    _add_office(commands)

    firmware = commands.add_parser("firmware", help="compile the firmware and show its sizes")
    firmware.add_argument("to", nargs="?", type=Path, default=Path("build/firmware"), metavar="DIR")
    firmware.set_defaults(action=_firmware)

    fleet = commands.add_parser("fleet", help="the readers: make one of a board, certificates")
    _add_fleet(fleet.add_subparsers(title="commands", metavar="COMMAND", required=True))

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
    return parser


def _add_office(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    staff = commands.add_parser("staff", help="who works here")
    people = staff.add_subparsers(title="commands", metavar="COMMAND", required=True)
    add = people.add_parser(
        "add", help="add a person; the password is asked for, never an argument"
    )
    add.add_argument("username", metavar="USERNAME", help="2 to 40 of a-z, 0-9, dot, hyphen, _")
    roles = ("owner", "manager", "lead", "cashier", "auditor")
    add.add_argument("--role", choices=roles, required=True)
    add.add_argument("--name", default="", help="as customers and colleagues read it")
    add.add_argument("--program", default="", help="whose; the first one is made by its name")
    add.add_argument("--one-time", action="store_true", help="make a password and show it once")
    add.set_defaults(action=_staff_add)
    people.add_parser("list", help="show who works here").set_defaults(action=_staff_list)

    till = commands.add_parser("till", help="keys by which a till's software asks the API")
    keys = till.add_subparsers(title="commands", metavar="COMMAND", required=True)
    key = keys.add_parser("key", help="make a key for a till; it is shown once")
    key.add_argument("till", metavar="SHOP/TILL", help="as in the address of its page")
    key.add_argument("--name", default="till", help="what uses it, for the list of keys")
    key.set_defaults(action=_till_key)
    keys.add_parser("keys", help="show which keys there are").set_defaults(action=_till_keys)
    revoke = keys.add_parser("revoke", help="take a key back")
    revoke.add_argument("key", type=int, metavar="NUMBER", help="as besnik till keys shows it")
    revoke.set_defaults(action=_till_revoke)

    audit = commands.add_parser("audit", help="the log of who did what")
    log = audit.add_subparsers(title="commands", metavar="COMMAND", required=True)
    verify = log.add_parser("verify", help="tell whether anything in it was changed")
    verify.add_argument(
        "--holds", default="", metavar="HASH", help="the newest hash of an earlier time"
    )
    verify.set_defaults(action=_audit_verify)


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
    _add_flash(commands)
    password = commands.add_parser(
        "password", help="show the password of a reader without TLS ([broker] plain = true)"
    )
    password.add_argument("reader", metavar="READER")
    password.set_defaults(action=_fleet_password)
    revoke = commands.add_parser("revoke", help="take back every certificate of a reader")
    revoke.add_argument("reader", metavar="READER")
    revoke.set_defaults(action=_fleet_revoke)


def _add_flash(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    flash = commands.add_parser(
        "flash",
        help="make a reader of a connected board: application, settings, certificate; sees it work",
        epilog="What is given once is kept with the reader. The Wi-Fi's password is asked for, or "
        "taken from BESNIK_WIFI_PASSWORD.",
    )
    flash.add_argument("reader", metavar="READER", help="its id: 1 to 16 of a-z, 0-9 and hyphen")
    flash.add_argument("--port", default="", help="its serial port (default: the only board)")
    flash.add_argument("--shop", default="", metavar="ID", help="the shop it stands in")
    flash.add_argument("--wifi", default="", metavar="NETWORK", help="the name of the Wi-Fi")
    flash.add_argument(
        "--host", default="", help="where it finds the broker (default: as its certificate says)"
    )
    flash.add_argument(
        "--set",
        action="append",
        default=[],
        metavar="KEY=VALUE",
        help="any other setting, as in pins.irq=4 (can be given again)",
    )
    flash.add_argument(
        "--image", type=Path, metavar="FILE", help="MicroPython to write first, for a bare board"
    )
    flash.add_argument(
        "--loader", default="", metavar="PORT", help="the port of its boot loader, if another"
    )
    flash.add_argument("--no-tap", action="store_true", help="do not wait for a first card")
    flash.set_defaults(action=_fleet_flash)


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


def _run(chosen: argparse.Namespace) -> int:
    from besnik.run import supervisor

    return supervisor.main(chosen.folder, once=chosen.once, is_empty=chosen.empty)


def _bridge(chosen: argparse.Namespace) -> int:
    from besnik.bridge.__main__ import main as bridge

    return bridge(chosen.instance)


def _broker(_: argparse.Namespace) -> int:
    from besnik.fleet.broker import main as broker

    return broker()


def _site(_: argparse.Namespace) -> int:
    from besnik.site.__main__ import main as site

    return site()


def _store(chosen: argparse.Namespace) -> int:
    from besnik.store.__main__ import main as store

    return store([chosen.step])


def _check_ledger(_: argparse.Namespace) -> int:
    from besnik.store.__main__ import main as store

    return store(["check-ledger"])


def _jobs(chosen: argparse.Namespace) -> int:
    from besnik.store.__main__ import main as store

    return store(["jobs", *(["--once"] if chosen.once else [])])


def _staff_add(chosen: argparse.Namespace) -> int:
    from besnik.store import office

    return office.add_staff(
        chosen.username,
        role=chosen.role,
        name=chosen.name,
        program=chosen.program,
        one_time=chosen.one_time,
    )


def _staff_list(_: argparse.Namespace) -> int:
    from besnik.store import office

    return office.list_staff()


def _till_key(chosen: argparse.Namespace) -> int:
    from besnik.store import till_keys

    return till_keys.make_key(chosen.till, chosen.name)


def _till_keys(_: argparse.Namespace) -> int:
    from besnik.store import till_keys

    return till_keys.list_keys()


def _till_revoke(chosen: argparse.Namespace) -> int:
    from besnik.store import till_keys

    return till_keys.revoke_key(chosen.key)


def _audit_verify(chosen: argparse.Namespace) -> int:
    from besnik.store import office

    return office.verify_audit(chosen.holds)


def _firmware(chosen: argparse.Namespace) -> int:
    from besnik.fleet.build import main as firmware

    return firmware([str(chosen.to)])


def _fleet_ca(chosen: argparse.Namespace) -> int:
    from besnik.fleet import command

    return command.make_authority(chosen.name, renew=chosen.renew)


def _fleet_cert(chosen: argparse.Namespace) -> int:
    from besnik.fleet import command

    return command.make_certificate(chosen.reader, renew=chosen.renew)


def _fleet_flash(chosen: argparse.Namespace) -> int:
    from besnik.fleet import flash_command

    changes = dict(each.partition("=")[::2] for each in chosen.set)
    order = flash_command.Order(
        reader=chosen.reader,
        port=chosen.port,
        shop=chosen.shop,
        wifi=chosen.wifi,
        host=chosen.host,
        changes=changes,
        image=chosen.image,
        loader=chosen.loader,
        waits_for_tap=not chosen.no_tap,
    )
    return flash_command.main(order)


def _fleet_password(chosen: argparse.Namespace) -> int:
    from besnik.fleet import command

    return command.show_password(chosen.reader)


def _fleet_revoke(chosen: argparse.Namespace) -> int:
    from besnik.fleet import command

    return command.revoke(chosen.reader)


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


if __name__ == "__main__":
    sys.exit(main())
