"""``python -m besnik.store migrate`` makes the tables, ``… demo`` adds the demo shop.

``… demo-history`` adds half a year of sales to that, which takes a while.

``… check-ledger`` says whether the ledger adds up, ``… jobs`` does what is due by the clock.
"""

from __future__ import annotations

import argparse
import os
import sys

import django
from django.core.management import call_command
from django.db import OperationalError

from besnik.config import ConfigError


def main(arguments: list[str] | None = None) -> int:
    """Run one command; return the exit status.

    1: no database, or a ledger that does not add up; 2: wrong settings.
    """
    parser = argparse.ArgumentParser(prog="besnik.store", description=__doc__)
    commands = ["migrate", "demo", "demo-history", "check-ledger", "jobs"]
    parser.add_argument("command", choices=commands)
    parser.add_argument("--once", action="store_true", help="jobs: what is due now, then leave")
    chosen = parser.parse_args(arguments)
    if chosen.command == "jobs" and not chosen.once:
        # Whoever waits at a till or for a page comes first, from the start on.
        os.nice(10)
    # By name, as every Django project does: the tables of Django's own applications
    # (sessions, users) are listed in the settings of the pages.
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "besnik.site.settings")
    try:
        django.setup()
    except ConfigError as error:
        print(f"besnik.store: {error}", file=sys.stderr)
        return 2
    try:
        return _run(chosen.command, once=chosen.once)
    except OperationalError as error:
        print(f"besnik.store: the database cannot be used: {error}", file=sys.stderr)
        return 1


def _run(command: str, *, once: bool) -> int:
    if command == "migrate":
        call_command("migrate", interactive=False, verbosity=0)
    elif command == "check-ledger":
        from besnik.store.books.check import check, said

        report = check()
        print(said(report))
        return 0 if report.is_clean else 1
    elif command == "jobs":
        from besnik.store.jobs.runner import run

        return run(once=once)
    elif command == "demo-history":
        from besnik.store import demo_history

        print(f"demo: {demo_history.seed()} sales of the last half year", flush=True)
    else:
        from besnik.store import demo, demo_staff

        demo.seed()
        demo_staff.seed()
    return 0


if __name__ == "__main__":
    sys.exit(main())
