"""A command at the terminal that works on the store: settings read, failures said in words."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable

import django
from django.db import OperationalError, ProgrammingError

from besnik.config import ConfigError


class CannotError(Exception):
    """What cannot be done; the text says what to do."""


def run(command: str, work: Callable[[], int]) -> int:
    """Run ``work`` on the shop's database; return its exit status, 1 or 2 with a line on stderr.

    2: wrong settings or CannotError; 1: no database. ``command`` begins the line.
    """
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "besnik.site.settings")
    try:
        django.setup()
        return work()
    except (ConfigError, CannotError) as error:
        print(f"{command}: {error}", file=sys.stderr)
        return 2
    except (OperationalError, ProgrammingError) as error:
        print(
            f"{command}: the database cannot be used: {error}; has besnik store migrate run?",
            file=sys.stderr,
        )
        return 1
