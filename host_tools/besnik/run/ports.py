"""TCP ports for the demo: the usual one where it is free, otherwise the next that is."""

from __future__ import annotations

import socket
from collections.abc import Callable

_TRIES = 50


class PortError(RuntimeError):
    """No port is free; the text names the range."""


def choose(what: str, host: str, wanted: int, say: Callable[[str], None]) -> int:
    """Return ``wanted`` or the next free port above it; say so when it is another one."""
    for port in range(wanted, min(wanted + _TRIES, 65536)):
        if _is_free(host, port):
            if port != wanted:
                say(f"{what}: port {wanted} is taken by another program, so it is {port} this time")
            return port
    raise PortError(f"{what}: no free port from {wanted} to {wanted + _TRIES - 1} on {host}")


def any_free(host: str) -> int:
    """Return a port that nobody listens on, whichever the system gives."""
    with socket.socket() as probe:
        probe.bind((host, 0))
        port: int = probe.getsockname()[1]
        return port


def _is_free(host: str, port: int) -> bool:
    with socket.socket() as probe:
        # A port in TIME_WAIT after a restart is free; one somebody listens on is not.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
            probe.listen(1)
        except OSError:
            return False
    return True
