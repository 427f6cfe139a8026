"""Roll-outs of releases to readers: begun and stopped by people, carried on by what readers say.

Nothing here speaks to a reader: `besnik.fleet` does, by what `due` returns and with what it hears.
"""

from __future__ import annotations

from besnik.store.rollouts.acts import RolloutError, begin, stop, widen
from besnik.store.rollouts.course import Order, due, told, withdrawn
from besnik.store.rollouts.hearing import heard, reborn
from besnik.store.rollouts.known import Found, know

__all__ = [
    "Found",
    "Order",
    "RolloutError",
    "begin",
    "due",
    "heard",
    "know",
    "reborn",
    "stop",
    "told",
    "widen",
    "withdrawn",
]
