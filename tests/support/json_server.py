"""An HTTP server of a test's own: it remembers what it was asked and answers as the test says."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, NamedTuple, Self
from urllib.parse import parse_qsl


class Asked(NamedTuple):
    """One request; ``path`` as it was sent, still escaped; ``body`` is JSON, or a form's pairs."""

    method: str
    path: str
    query: list[tuple[str, str]]
    headers: dict[str, str]
    body: Any


# What is answered: a status, JSON (None: nothing), and headers if there are any.
Said = tuple[int, Any] | tuple[int, Any, dict[str, str]]


class JsonServer:
    """``with JsonServer(lambda asked: (200, {})) as server:``; ``asked`` is all that came."""

    def __init__(self, answer: Callable[[Asked], Said]) -> None:
        self.asked: list[Asked] = []
        server = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def handle_any(self) -> None:
                raw = self.rfile.read(int(self.headers.get("Content-Length", 0)))
                path, _, query = self.path.partition("?")
                headers = {name.lower(): value for name, value in self.headers.items()}
                body = _decoded(raw, headers.get("content-type", ""))
                asked = Asked(self.command, path, parse_qsl(query), headers, body)
                server.asked.append(asked)
                status, said, *more = answer(asked)
                sent = b"" if said is None else json.dumps(said).encode()
                self.send_response(status)
                for name, value in {
                    **(more[0] if more else {}),
                    "Content-Length": len(sent),
                }.items():
                    self.send_header(name, str(value))
                self.end_headers()
                self.wfile.write(sent)

            do_GET = do_POST = do_PUT = do_PATCH = handle_any  # noqa: N815 - http.server's names

            def log_message(self, *_: object) -> None:
                """Say nothing."""

        class Server(ThreadingHTTPServer):
            def handle_error(self, *_: object) -> None:
                """A client that did not wait for the answer is no news."""

        self._server = Server(("127.0.0.1", 0), Handler)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,))
        self.url = f"http://127.0.0.1:{self._server.server_port}"

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self,
        _kind: type[BaseException] | None,
        _error: BaseException | None,
        _trace: TracebackType | None,
    ) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()


def _decoded(raw: bytes, kind: str) -> Any:
    if not raw:
        return None
    return dict(parse_qsl(raw.decode())) if "form" in kind else json.loads(raw)
