"""What runs a shop: the demo, and each of its parts."""

from __future__ import annotations

import argparse
from pathlib import Path


def add(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the commands of this file."""
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
