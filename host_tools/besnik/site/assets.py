"""Style sheets, scripts and icons, served before Django sees the request.

WhiteNoise knows the files and answers conditional requests; its Django middleware is not used,
because it is synchronous: it would put a thread between the server and every event stream.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any, Final

from django.contrib.staticfiles import finders
from whitenoise import WhiteNoise

PREFIX: Final = "/static/"
# Browsers ask each time and mostly hear "not modified": no page with last week's script.
MAX_AGE_S: Final = 0

Send = Callable[[Any], Awaitable[None]]


class Assets:
    """The static files of every installed application, found once at the start."""

    def __init__(self) -> None:
        self._known = WhiteNoise(None, max_age=MAX_AGE_S, allow_all_origins=False)
        for finder in finders.get_finders():
            for path, storage in finder.list(None):
                if PREFIX + path not in self._known.files:
                    self._known.add_file_to_dictionary(PREFIX + path, storage.path(path))

    def get(self, scope: dict[str, Any]) -> Any:
        """Return the file an HTTP request asks for, None if it is not one of ours."""
        return self._known.files.get(scope["path"]) if scope["type"] == "http" else None

    async def serve(self, file: Any, scope: dict[str, Any], send: Send) -> None:
        """Answer the request for a file that `get` returned."""
        asked = {
            "HTTP_" + name.decode("latin-1").upper().replace("-", "_"): value.decode("latin-1")
            for name, value in scope["headers"]
        }
        answer = file.get_response(scope["method"], asked)
        headers = [*answer.headers, ("X-Content-Type-Options", "nosniff")]
        body = b""
        if answer.file is not None:
            with answer.file as content:  # a few kilobytes from the disk cache
                body = content.read()
        await send(
            {
                "type": "http.response.start",
                "status": int(answer.status),
                "headers": [(name.lower().encode(), value.encode()) for name, value in headers],
            }
        )
        await send({"type": "http.response.body", "body": body})
