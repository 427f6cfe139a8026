"""A CRM for the mapping of `support.mapped`: what it keeps, behind an HTTP server of its own."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from typing import Any

from support.json_server import Asked, JsonServer, Said


class MappedBooks:
    """Customers and their visits; while ``is_away`` it answers 503 to everything."""

    def __init__(self) -> None:
        self._people: dict[str, dict[str, Any]] = {}
        self._visits: list[dict[str, str]] = []
        self._numbers = itertools.count(1)
        self.is_away = False
        self.server = JsonServer(self._answer)

    def add(self, name: str, /, *cards: str) -> str:
        """Make a customer; return the id."""
        number = str(next(self._numbers))
        first, _, last = name.partition(" ")
        self._people[number] = {
            "id": number,
            "first": first,
            "last": last,
            "card": ", ".join(cards),
            "points": 0,
        }
        return number

    def events(self, customer: str) -> Sequence[object]:
        """Return the ids of a customer's events."""
        return [visit["event"] for visit in self._visits if visit["who"] == customer]

    def stop(self) -> None:
        """Answer nobody."""
        self.is_away = True

    def start(self) -> None:
        """Answer again."""
        self.is_away = False

    def _answer(self, asked: Asked) -> Said:
        if self.is_away:
            return 503, {}
        if asked.path == "/find":
            wanted = set(asked.body["cards"])
            return 200, {"rows": [one for one in self._people.values() if wanted & _cards(one)]}
        if asked.path == "/visits" and asked.method == "POST":
            self._visits += asked.body["rows"]
            return 200, {}
        if asked.path == "/visits":
            wanted = {value for _, value in asked.query}
            return 200, {"rows": [one for one in self._visits if one["event"] in wanted]}
        if asked.method == "PATCH":
            self._people[asked.path.rpartition("/")[2]]["points"] = asked.body["points"]
            return 200, {}
        return 200, {"rows": list(self._people.values()), "at": {"next": ""}}


def _cards(person: dict[str, Any]) -> set[str]:
    return set(person["card"].split(", "))
