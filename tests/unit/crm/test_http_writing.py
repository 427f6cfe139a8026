"""The adapter by mapping: every event is written once, and none stops the others."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from besnik.crm.foreign import CrmAnswerError, NewCustomer
from support.json_server import Asked, Said
from support.mapped import ANNA, ask, rewrite, visit, written


@pytest.fixture
def mapping(tmp_path: Path) -> Path:
    return written(tmp_path)


class Books:
    """A CRM that keeps visits by their event, and may refuse some customers."""

    def __init__(self, *, gone: str = "") -> None:
        self.visits: list[str] = []
        self.balances: list[tuple[str, int]] = []
        self.gone = gone

    def answer(self, asked: Asked) -> Said:
        if asked.method == "PATCH":
            self.balances.append((asked.path.rpartition("/")[2], asked.body["points"]))
            return 200, {}
        if asked.method == "GET":
            wanted = [value for _, value in asked.query]
            return 200, {"rows": [{"event": event} for event in self.visits if event in wanted]}
        for row in asked.body["rows"]:
            if row["who"] == self.gone:
                return 422, {"error": {"code": "NO_SUCH_CUSTOMER", "message": "Anna is gone"}}
            self.visits.append(row["event"])
        return 200, {}


class Slow(Books):
    """Takes what it can of a request, and finds it only when its search has caught up."""

    def __init__(self, *, gone: str) -> None:
        super().__init__(gone=gone)
        self.found: list[str] = []

    def answer(self, asked: Asked) -> Said:
        if asked.method == "GET":
            wanted = [value for _, value in asked.query]
            return 200, {"rows": [{"event": event} for event in self.found if event in wanted]}
        taken = [row["event"] for row in asked.body["rows"] if row["who"] != self.gone]
        self.visits += taken
        return 207, {"rows": [{"id": event} for event in taken]}


class TestWriting:
    async def test_the_last_balance_of_each_customer_is_set_once(self, mapping: Path) -> None:
        books = Books()
        visits = [visit("e1", "1", 5), visit("e2", "2", 9), visit("e3", "1", 8), visit("e4", "3")]
        done, asked = await ask(
            mapping, books.answer, lambda crm: crm.record_visits(visits, again=False)
        )
        assert [each.outcome for each in done] == ["done"] * 4
        assert (books.visits, books.balances) == (["e1", "e2", "e3", "e4"], [("1", 8), ("2", 9)])
        assert len(asked) == 3

    async def test_what_may_be_there_is_looked_for_first(self, mapping: Path) -> None:
        books = Books()
        books.visits.append("e1")
        done, _ = await ask(
            mapping,
            books.answer,
            lambda crm: crm.record_visits([visit("e1"), visit("e2")], again=True),
        )
        assert [each.outcome for each in done] == ["already", "done"]
        assert books.visits == ["e1", "e2"]

    async def test_one_that_is_refused_is_named_and_the_others_are_written_once(
        self, mapping: Path
    ) -> None:
        books = Books(gone="9")  # those before it are written when the batch is refused
        visits = [visit("e1"), visit("e2", "9", 7), visit("e3")]
        done, _ = await ask(
            mapping, books.answer, lambda crm: crm.record_visits(visits, again=False)
        )
        assert [each.outcome for each in done] == ["already", "refused", "done"]
        assert "NO_SUCH_CUSTOMER" in done[1].why
        assert "Anna" not in done[1].why
        assert (books.visits, books.balances) == (["e1", "e3"], [])

    async def test_a_balance_that_is_refused_is_told(self, mapping: Path) -> None:
        books = Books()

        def answer(asked: Asked) -> Said:
            return (403, {}) if asked.method == "PATCH" else books.answer(asked)

        done, _ = await ask(
            mapping, answer, lambda crm: crm.record_visits([visit("e1", "1", 5)], again=False)
        )
        assert done[0].outcome == "refused"
        assert "the visit is there" in done[0].why

    async def test_who_has_the_card_there_is_not_made_again(self, mapping: Path) -> None:
        made: list[Any] = []

        def answer(asked: Asked) -> Said:
            if asked.path == "/find":
                twice = [{**ANNA, "card": "05", "id": number} for number in (2, 3)]
                found = [ANNA, *twice]
                return 200, {"rows": [row for row in found if row["card"] in asked.body["cards"]]}
            made.append(asked.body)
            return 200, {"id": 77}

        new = [
            NewCustomer("m1", "Anna Arben", ("04AA",)),
            NewCustomer("m2", "Two", ("05",)),
            NewCustomer("m3", "None"),
            NewCustomer("m4", "Ana Maria Lopez", ("06", "07")),
        ]
        done, _ = await ask(mapping, answer, lambda crm: crm.create_customers(new, again=False))
        assert [(each.outcome, each.customer) for each in done] == [
            ("already", "1"),
            ("refused", ""),
            ("refused", ""),
            ("done", "77"),
        ]
        assert made == [{"first": "Ana Maria", "last": "Lopez", "card": "06"}]

    async def test_where_the_search_lags_what_was_taken_in_part_is_looked_for_later(
        self, mapping: Path
    ) -> None:
        rewrite(
            mapping,
            """[visits.write]
""",
            """[limits]
search_lag_s = 10
[visits.write]
results = { rows = "rows" }
""",
        )
        books, visits = Slow(gone="2"), [visit("e1", "1"), visit("e2", "2")]
        with pytest.raises(CrmAnswerError, match="in a while"):
            await ask(mapping, books.answer, lambda crm: crm.record_visits(visits, again=False))
        assert books.visits == ["e1"]
        books.found = [*books.visits]
        done, _ = await ask(
            mapping, books.answer, lambda crm: crm.record_visits(visits, again=True)
        )
        assert [each.outcome for each in done] == ["already", "refused"]
        assert books.visits == ["e1"]
