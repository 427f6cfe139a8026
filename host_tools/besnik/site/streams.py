"""Server-sent events: the lines, the heartbeat, the loop that keeps a page current, the answer.

A page is current as far as its last ``link`` says: that comes after what it vouches for.

Format: html.spec.whatwg.org/multipage/server-sent-events.html
"""

from __future__ import annotations

import asyncio
import json
import logging
import time
from collections.abc import AsyncIterator, Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any, Final, TypeVar

from django.db import Error as DatabaseAway
from django.db import close_old_connections
from django.http import StreamingHttpResponse

from besnik.site.hub import Watch, hub

_log = logging.getLogger(__name__)

# A page that hears nothing for three beats says so (stream.js): at a till, six seconds.
BEAT_S: Final = 2.0
RETRY_S: Final = 1.0
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


async def live(
    watch: Watch,
    look: Callable[[], Iterable[bytes]],
    link: Callable[[], str],
    look_s: float,
    rest_s: float = 0.0,
) -> AsyncIterator[bytes]:
    """Yield what keeps one page current, for as long as the site runs.

    ``look()`` reads the database, in a thread, and returns the events that make the page current;
    it is called at each news and every ``look_s`` seconds, with ``rest_s`` seconds of rest after
    each time. Then follows ``link()``, if that has changed: ``live``, or what is away.
    ``database``: it fails or does not answer within a beat.
    """
    said = ""
    while not hub.closing:
        looking = asyncio.ensure_future(in_thread(look))
        try:
            while not (await asyncio.wait({looking}, timeout=BEAT_S))[0]:
                yield BEAT if said == "database" else event("link", "database")
                said = "database"
            word, lines = _result(looking, link)
        finally:
            looking.cancel()
        for line in lines:
            yield line
        if word != said:
            yield event("link", word)
            said = word
        await asyncio.sleep(rest_s)
        again_s = time.monotonic() + (RETRY_S if word == "database" else look_s)
        while (left_s := again_s - time.monotonic()) > 0:
            if await watch.news(min(BEAT_S, left_s)):
                break
            yield BEAT


def _result(
    looking: asyncio.Future[Iterable[bytes]], link: Callable[[], str]
) -> tuple[str, Iterable[bytes]]:
    try:
        return link(), looking.result()
    except DatabaseAway as error:
        _log.warning("the database does not answer: %s", type(error).__name__)
        return "database", ()


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
