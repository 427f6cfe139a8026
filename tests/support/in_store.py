"""Work with the models beside an event loop, on a thread that keeps no connection."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import ParamSpec, TypeVar

from django.db import connections

_P = ParamSpec("_P")
_T = TypeVar("_T")


async def in_store(work: Callable[_P, _T], *arguments: _P.args, **named: _P.kwargs) -> _T:
    """Return ``work(*arguments, **named)``, run on another thread."""

    def closed() -> _T:
        try:
            return work(*arguments, **named)
        finally:
            connections.close_all()

    return await asyncio.to_thread(closed)
