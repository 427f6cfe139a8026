"""The cards of all customers that a count has met: it writes none, and has to know of doubles."""

from __future__ import annotations

import sqlite3

from besnik.crm.matching import Difference, Match


class Seen:
    """The cards so far, in a file that SQLite keeps: memory does not grow by them."""

    def __init__(self) -> None:
        # An empty name: a file that is gone at the end (sqlite.org/inmemorydb.html). One thread
        # after the other uses it.
        self._db = sqlite3.connect("", check_same_thread=False)
        self._db.execute("CREATE TABLE seen (card TEXT PRIMARY KEY) WITHOUT ROWID")

    def judged(self, match: Match) -> Match:
        """Return the match of a customer as an import would find it, after those before."""
        is_twice = False
        for card in match.cards:
            try:
                self._db.execute("INSERT INTO seen VALUES (?)", (card.data,))
            except sqlite3.IntegrityError:
                is_twice = True
        if is_twice and match.what == "made":
            return Match(
                match.customer, "skipped", differences=(Difference("twice", match.customer.name),)
            )
        return match

    def close(self) -> None:
        """Let go of the file."""
        self._db.close()
