"""Database work beside an event loop: on one thread, over one connection."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from types import TracebackType
from typing import ParamSpec, Self, TypeVar

from django.db import InterfaceError, OperationalError, connections

_P = ParamSpec("_P")
_T = TypeVar("_T")


class DatabaseThread:
    """``await thread(work, …)`` runs ``work(…)``, one piece at a time; Django's errors pass.

    It closes its connection at the end of ``async with``.
    """

    def __init__(self) -> None:
        self._threads = ThreadPoolExecutor(max_workers=1, thread_name_prefix="crm store")

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        loop = asyncio.get_running_loop()
        await loop.run_in_executor(self._threads, connections.close_all)
        self._threads.shutdown(wait=False)

    async def __call__(self, work: Callable[_P, _T], *arguments: _P.args, **named: _P.kwargs) -> _T:
        """Return ``work(*arguments, **named)``."""

        def checked() -> _T:
            try:
                return work(*arguments, **named)
            except (OperationalError, InterfaceError):
                # A connection that broke stays broken; the next piece of work gets a new one.
                connections.close_all()
                raise

        return await asyncio.get_running_loop().run_in_executor(self._threads, checked)
