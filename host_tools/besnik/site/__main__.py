"""``python -m besnik.site``: serve the pages until SIGTERM or Ctrl-C."""

from __future__ import annotations

import signal
import socket
import sys

import uvicorn

from besnik import config
from besnik.site.server import Server

GRACE_S = 1


def main() -> int:
    """Return 0 after a stop that was asked for, 1 when the site cannot be served."""
    try:
        site = config.load().site
    except config.ConfigError as error:
        print(f"site: {error}", file=sys.stderr)
        return 1
    try:
        listener = _listen(site)
    except OSError as error:
        print(
            f"site: cannot listen on {site.host}:{site.port}: {error.strerror}. "
            "Stop what uses it or set [site] host and port in besnik.toml.",
            file=sys.stderr,
        )
        return 1
    server = Server(
        uvicorn.Config(
            "besnik.site.asgi:application",
            access_log=False,
            log_level="warning",
            lifespan="on",
            timeout_graceful_shutdown=GRACE_S,
            server_header=False,
        )
    )
    # uvicorn stops on these by itself and then raises them again: an asked-for stop is no error.
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: None)
    server.run(sockets=[listener])
    return 0 if server.started else 1


def _listen(site: config.Site) -> socket.socket:
    family = socket.AF_INET6 if ":" in site.host else socket.AF_INET
    listener = socket.socket(family)
    # A port in TIME_WAIT after a restart is free; a port somebody listens on is not.
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((site.host, site.port))
        listener.listen(128)
    except OSError:
        listener.close()
        raise
    return listener


if __name__ == "__main__":
    sys.exit(main())
