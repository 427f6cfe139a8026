"""``python -m besnik.store migrate`` makes the tables, ``… demo`` adds the demo shop."""

from __future__ import annotations

import argparse
import os
import sys

import django
from django.core.management import call_command
from django.db import OperationalError

from besnik.config import ConfigError


def main(arguments: list[str] | None = None) -> int:
    """Run one command; return the exit status (1: no database, 2: wrong settings)."""
    parser = argparse.ArgumentParser(prog="besnik.store", description=__doc__)
    parser.add_argument("command", choices=["migrate", "demo"])
    chosen = parser.parse_args(arguments)
    # By name, as every Django project does: the tables of Django's own applications
    # (sessions, users) are listed in the settings of the pages.
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "besnik.site.settings")
    try:
        django.setup()
    except ConfigError as error:
        print(f"besnik.store: {error}", file=sys.stderr)
        return 2
    try:
        _run(chosen.command)
    except OperationalError as error:
        print(f"besnik.store: the database cannot be used: {error}", file=sys.stderr)
        return 1
    return 0


def _run(command: str) -> None:
    if command == "migrate":
        call_command("migrate", interactive=False, verbosity=0)
    else:
        from besnik.store import demo, demo_staff

        demo.seed()
        demo_staff.seed()


if __name__ == "__main__":
    sys.exit(main())
