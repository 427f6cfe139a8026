"""What a member sees of themselves: everything that is theirs, and what happened to it."""

from __future__ import annotations

from besnik.store.own.history import history
from besnik.store.own.read import own_page
from besnik.store.own.shown import History, HistoryLine, OwnPage

__all__ = ["History", "HistoryLine", "OwnPage", "history", "own_page"]
