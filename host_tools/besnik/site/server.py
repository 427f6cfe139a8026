"""The web server, with a start that is announced and a stop that does not wait for streams."""

from __future__ import annotations

import socket

import uvicorn

from besnik.site.hub import hub


class Server(uvicorn.Server):
    """Prints ``site: ready`` once it listens; ends open event streams before it stops."""

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Start, then say so on stdout."""
        await super().startup(sockets)
        if self.started:
            print("site: ready", flush=True)

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """End the streams first: they would stay open for as long as their pages do."""
        hub.close_streams()
        await super().shutdown(sockets)
