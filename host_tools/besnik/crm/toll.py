"""What each request to a CRM costs whoever had it made: told here, asked for by the line to it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Final

Payer = Callable[[], Awaitable[None]]

# Of the call that is being made, and of the tasks it starts.
_payer: Final[ContextVar[Payer | None]] = ContextVar("besnik_crm_payer", default=None)


@contextmanager
def paid_by(payer: Payer) -> Iterator[None]:
    """Have every request that is made within paid for by ``payer``, which may wait or raise."""
    token = _payer.set(payer)
    try:
        yield
    finally:
        _payer.reset(token)


async def pay() -> None:
    """Pay for one request that is about to go out."""
    payer = _payer.get()
    if payer is not None:
        await payer()
