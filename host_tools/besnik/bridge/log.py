"""Log lines of ``key=value`` pairs on stderr. Values never name a person or a card."""

from __future__ import annotations

import datetime as dt
import json
import logging
import re
import sys
from collections.abc import Mapping
from typing import Any, Final

_log = logging.getLogger(__name__)

_PLAIN: Final = re.compile(r"[\w.:/+$\[\]-]+\Z", re.ASCII)


def pairs(event: str, **values: object) -> str:
    """Return ``event=… key=value …``; a value with anything but plain characters is quoted."""
    return " ".join(f"{key}={_shown(value)}" for key, value in {"event": event, **values}.items())


def _shown(value: object) -> str:
    text = str(value)
    return text if _PLAIN.match(text) else json.dumps(text)


def place(error: BaseException) -> str:
    """Return file and line of an error, for the log: its text could quote a row."""
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    if trace is None:
        return "nowhere"
    return f"{trace.tb_frame.f_code.co_filename.rpartition('/')[2]}:{trace.tb_lineno}"


def crash(_loop: object, context: Mapping[str, Any]) -> None:
    """Log an error that nobody caught: the event loop's handler of exceptions.

    asyncio's own would print the arguments of what failed, messages of readers among them.
    """
    error = context.get("exception")
    values = {} if error is None else {"error": type(error).__name__, "at": place(error)}
    _log.error(pairs("crash", **values))


class _Lines(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        at = dt.datetime.fromtimestamp(record.created, dt.UTC).isoformat(timespec="milliseconds")
        head = f"time={at} level={record.levelname.lower()}"
        if record.name.startswith("besnik"):
            return f"{head} {record.getMessage()}"
        # A library's arguments can be whole packets, with the UID of a card in them.
        values: dict[str, object] = {"logger": record.name, "text": record.msg}
        if record.exc_info and record.exc_info[0]:
            values["error"] = record.exc_info[0].__name__
        return f"{head} {pairs('library', **values)}"


def to_stderr() -> None:
    """Send this process's log to stderr: our own from INFO on, libraries' only errors."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(_Lines())
    logging.basicConfig(level=logging.ERROR, handlers=[handler], force=True)
    logging.getLogger("besnik").setLevel(logging.INFO)
