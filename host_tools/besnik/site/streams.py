"""Server-sent events: the lines, the heartbeat, and the answer that carries them.

Format: html.spec.whatwg.org/multipage/server-sent-events.html
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any, Final, TypeVar

from django.db import close_old_connections
from django.http import StreamingHttpResponse

BEAT_S: Final = 10.0
BEAT: Final = b"event: beat\ndata: 0\n\n"

_T = TypeVar("_T")
# Streams share these threads and so their database connections: a hundred open pages must not
# hold a hundred connections, as one thread per request would.
_threads = ThreadPoolExecutor(max_workers=4, thread_name_prefix="stream")


def event(name: str, data: Any) -> bytes:
    """Return one event; ``data`` travels as one line of JSON."""
    text = json.dumps(data, ensure_ascii=False, separators=(",", ":"))
    return f"event: {name}\ndata: {text}\n\n".encode()


def stream(lines: AsyncIterator[bytes]) -> StreamingHttpResponse:
    """Return the answer that sends ``lines`` as they come, uncached and unbuffered."""
    response = StreamingHttpResponse(lines, content_type="text/event-stream")
    response.headers["Cache-Control"] = "no-store"
    response.headers["X-Accel-Buffering"] = "no"  # nginx would hold events back
    return response


async def in_thread(work: Callable[..., _T], *args: Any) -> _T:
    """Run database work for a stream, with connections checked before and after."""
    loop = asyncio.get_running_loop()
    return await loop.run_in_executor(_threads, partial(_checked, work, *args))


def _checked(work: Callable[..., _T], *args: Any) -> _T:
    close_old_connections()
    try:
        return work(*args)
    finally:
        close_old_connections()
