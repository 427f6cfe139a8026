"""The adapter by mapping: what it asks for, and what it makes of the answers."""

from __future__ import annotations

from pathlib import Path

import pytest

from besnik.crm.foreign import Ambiguous, CrmAnswerError, CrmSettingsError, Customer
from besnik.crm.http.adapter import HttpCrm
from support.json_server import Asked, Said
from support.mapped import ANNA, ask, rewrite, written


@pytest.fixture
def mapping(tmp_path: Path) -> Path:
    return written(tmp_path)


class TestLookup:
    async def test_cards_are_asked_for_in_requests_that_hold_so_many(self, mapping: Path) -> None:
        found, asked = await ask(
            mapping,
            lambda asked: (200, {"rows": [ANNA] if "04AA" in asked.body["cards"] else []}),
            lambda crm: crm.lookup_many(["01", "02", "03", "04AA", "01"], ["tier"]),
        )
        assert found == {"04AA": Customer("1", "Anna Arben", ("04AA",), 12, {"tier": None})}
        assert [each.body for each in asked] == [
            {"cards": ["01", "02", "03"], "columns": ["id", "card", "tier"]},
            {"cards": ["04AA"], "columns": ["id", "card", "tier"]},
        ]
        assert asked[0].headers["x-key"] == "s3cret"

    async def test_a_card_is_known_however_it_is_written_there(self, mapping: Path) -> None:
        row = {**ANNA, "card": "04:aa, 04-bb"}
        found, _ = await ask(
            mapping, lambda _: (200, {"rows": [row]}), lambda crm: crm.lookup_many(["04BB"], [])
        )
        assert found["04BB"].cards == ("04AA", "04BB")

    async def test_a_card_is_asked_for_as_people_write_it_where_there_is_room(
        self, mapping: Path
    ) -> None:
        rewrite(mapping, "at_once = 3\nlimit = 4", "at_once = 20\nlimit = 40")
        card, other = "04A1B2C3D4E580", "04A1B2C3D4E581"
        row = {**ANNA, "card": "04:a1:b2:c3:d4:e5:80"}

        def answer(asked: Asked) -> Said:
            return 200, {"rows": [row] if row["card"] in asked.body["cards"] else []}

        cards = [other, "BES1-2345", card]
        found, asked = await ask(mapping, answer, lambda crm: crm.lookup_many(cards, []))
        assert list(found) == [card]
        assert all(len(each.body["cards"]) <= 20 for each in asked)
        assert len(asked) == 2

    async def test_the_same_customer_twice_is_one_and_two_are_ambiguous(
        self, mapping: Path
    ) -> None:
        rewrite(mapping, "limit = 4", "limit = 9")
        rows = [ANNA, ANNA, {**ANNA, "id": 2, "card": "05"}, {**ANNA, "id": 3, "card": "05"}]
        found, _ = await ask(
            mapping,
            lambda _: (200, {"rows": rows}),
            lambda crm: crm.lookup_many(["04AA", "05"], []),
        )
        assert isinstance(found["04AA"], Customer)
        assert found["05"] == Ambiguous(("2", "3"))

    async def test_an_answer_that_may_be_cut_off_is_asked_for_card_by_card(
        self, mapping: Path
    ) -> None:
        people = [{**ANNA, "id": number, "card": "05"} for number in range(9)]
        people.append(ANNA)

        def answer(asked: Asked) -> Said:
            return 200, {"rows": [row for row in people if row["card"] in asked.body["cards"]][:4]}

        found, asked = await ask(mapping, answer, lambda crm: crm.lookup_many(["04AA", "05"], []))
        assert isinstance(found["04AA"], Customer)
        assert isinstance(found["05"], Ambiguous)
        assert [each.body["cards"] for each in asked] == [["04AA", "05"], ["04AA"], ["05"]]

    async def test_nothing_found_looks_as_the_mapping_says(self, mapping: Path) -> None:
        found, _ = await ask(
            mapping, lambda _: (404, {}), lambda crm: crm.lookup_many(["04AA"], [])
        )
        assert found == {}

    async def test_customers_without_the_card_mean_a_filter_that_was_ignored(
        self, mapping: Path
    ) -> None:
        with pytest.raises(CrmAnswerError, match="card's field"):
            await ask(
                mapping,
                lambda _: (200, {"rows": [ANNA]}),
                lambda crm: crm.lookup_many(["05"], []),
            )

    async def test_a_field_that_is_no_name_is_not_sent(self, mapping: Path) -> None:
        with pytest.raises(CrmSettingsError, match="cannot be the name"):
            await ask(
                mapping,
                lambda _: (200, {"rows": []}),
                lambda crm: crm.lookup_many(["05"], ["a FROM Secrets"]),
            )

    @pytest.mark.parametrize("own_id", ["../admin", "a/b?c#d", ".."])
    async def test_an_id_stays_in_its_place_of_the_path(self, mapping: Path, own_id: str) -> None:
        found, asked = await ask(
            mapping, lambda _: (404, {}), lambda crm: crm.refresh([own_id], [])
        )
        assert found == {}
        (request,) = asked
        assert request.path.startswith("/people/")
        assert "/" not in request.path.removeprefix("/people/")
        assert ".." not in request.path.replace("..%2F", "")
        assert request.query == []


class TestPages:
    async def test_pages_follow_each_other_until_the_last(self, mapping: Path) -> None:
        def answer(asked: Asked) -> Said:
            after = dict(asked.query).get("after")
            return 200, {"rows": [ANNA], "next": None if after else "page-2"}

        async def walk(crm: HttpCrm) -> list[str | None]:
            first = await crm.list_customers(None, ["tier"])
            return [first.after, (await crm.list_customers(first.after, [])).after]

        found, asked = await ask(mapping, answer, walk)
        assert found == ["page-2", None]
        assert asked[0].query == [("fields", "id,card,tier")]

    async def test_pages_that_go_round_are_noticed(self, mapping: Path) -> None:
        with pytest.raises(CrmAnswerError, match="circle"):
            await ask(
                mapping,
                lambda _: (200, {"rows": [ANNA], "next": "x"}),
                lambda crm: crm.list_customers("x", []),
            )

    async def test_the_next_page_is_never_at_another_host(self, mapping: Path) -> None:
        rewrite(mapping, 'next = "at"', 'next = "path"')
        for elsewhere in ("https://elsewhere.example/x", "//elsewhere.example/x"):
            with pytest.raises(CrmAnswerError, match="another host"):
                await ask(
                    mapping,
                    lambda _: (200, {"rows": []}),
                    lambda crm, after=elsewhere: crm.list_customers(after, []),
                )

    async def test_fields_may_be_a_table(self, mapping: Path) -> None:
        found, _ = await ask(
            mapping,
            lambda _: (200, {"tier": {"label": "Tier"}, "note": {}}),
            lambda crm: crm.describe(),
        )
        assert [(each.name, each.label) for each in found] == [("tier", "Tier"), ("note", "note")]
