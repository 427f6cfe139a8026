"""Ties a child process to this one, so that nothing is left behind whatever happens."""

from __future__ import annotations

import ctypes
import os
import signal
import sys
from collections.abc import Callable

_PR_SET_PDEATHSIG = 1  # linux/prctl.h


def tie() -> Callable[[], None] | None:
    """Return what the child runs before its program: it dies when this process does.

    None where the system has no such thing (it is Linux's); there only an orderly end of this
    process ends its children.
    """
    if not sys.platform.startswith("linux"):
        return None
    libc = ctypes.CDLL(None, use_errno=True)
    parent = os.getpid()

    def before_program() -> None:
        libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
        if os.getppid() != parent:  # it died before the leash was on
            os._exit(1)

    return before_program
