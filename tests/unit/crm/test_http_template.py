"""Request templates: values where they belong, and nothing that they could break out of."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest

from besnik.crm.foreign import CrmSettingsError
from besnik.crm.http import paths, template

NOON = dt.datetime(2026, 11, 22, 13, tzinfo=dt.timezone(dt.timedelta(hours=1)))


@pytest.mark.parametrize(
    ("text", "value", "filled"),
    [
        ("{it}", 7, 7),
        ("{it}", ["a", "b"], ["a", "b"]),
        ("no. {it}", 7, "no. 7"),
        ("{it:csv}", ["a", "b"], "a,b"),
        ("{it:int}", "7", 7),
        ("{it:int}", ["7", "8"], [7, 8]),
        ("{it:text}", 7, "7"),
        ("{it:signed}", 7, "+7"),
        ("{it:signed}", -7, "-7"),
        ("in ({it:soql})", ["a", "O'Neill"], r"in ('a','O\'Neill')"),
        ("{it:soql}", "\\' OR Name != '", r"'\\\' OR Name != \''"),
        ("{it:zoho}", "a)or(b,c", r"a\)or\(b\,c"),
        ("{it:html}", "<b>&", "&lt;b&gt;&amp;"),
        ("{it}", NOON, "2026-11-22T12:00:00Z"),
        ("{it:plain_time}", NOON, "2026-11-22 12:00:00"),
        ("{it:day}", NOON, "2026-11-22"),
        ("{{it}} {it}", "x", "{it} x"),
        ("{it}", "{key}", "{key}"),
    ],
)
def test_a_value_is_written_for_its_place(text: str, value: Any, filled: Any) -> None:
    assert template.fill(text, {"it": value, "key": "secret"}) == filled


def test_what_is_not_there_takes_its_place_with_it() -> None:
    values = {"balance": None, "points": 3, "phone": ""}
    body = {
        "a": {"points": "{points}", "balance": "{balance}"},
        "b": {"balance": "{balance}"},
        "c": ["{phone}"],
        "d": "now {balance}",
        "e": [],
        "f": {},
        "{phone}": "{points}",
    }
    assert template.fill(body, values) == {"a": {"points": 3}, "e": [], "f": {}}


def test_a_list_is_made_of_what_it_is_for() -> None:
    ids = template.fill({"for_each": "ids", "make": {"id": "{it}"}}, {"ids": ["1", "2"]})
    assert ids == [{"id": "1"}, {"id": "2"}]
    visits = {"visits": [{"points": 1}, {"points": None}], "shop": "Bar"}
    made = template.fill({"for_each": "visits", "make": {"p": "{points}", "s": "{shop}"}}, visits)
    assert made == [{"p": 1, "s": "Bar"}, {"s": "Bar"}]


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        ("{secret}", "uses {secret}"),
        ("{it:sql}", "no :sql"),
        ("{it", "brace"),
        ("{it!r}", "brace"),
        ("{it.__class__}", "brace"),
        ({"for_each": "cards", "make": "{it}"}, "uses {cards}"),
    ],
)
def test_a_mistake_in_a_template_is_told_where_it_is(wrong: Any, told: str) -> None:
    with pytest.raises(CrmSettingsError, match=r"visits\.write") as caught:
        template.check({"a": [wrong]}, {"it"}, "visits.write")
    assert told in str(caught.value)


def test_a_value_that_does_not_fit_is_told_without_it() -> None:
    with pytest.raises(CrmSettingsError) as caught:
        template.fill("{it:int}", {"it": "Anna Arben"})
    assert "Anna" not in str(caught.value)


@pytest.mark.parametrize(
    ("path", "found"),
    [
        ("a.b[1].c", 7),
        ("a.b.*.c", [6, 7]),
        ("", {"a": {"b": [{"c": 6}, {"c": 7}, 1]}, "n": None}),
        ("n", None),
        ("a.b[9]", paths.ABSENT),
        ("a.c", paths.ABSENT),
        ("n.x", paths.ABSENT),
    ],
)
def test_a_path_leads_to_what_is_there(path: str, found: Any) -> None:
    assert paths.get({"a": {"b": [{"c": 6}, {"c": 7}, 1]}, "n": None}, path) == found


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        ("text", "text"),
        (True, True),
        (None, None),
        (["a", {"name": "b"}, 3], "a, b, 3"),
        ({"id": 7, "name": "Anna"}, "Anna"),
        ({"x": 1}, None),
        ([], None),
    ],
)
def test_whatever_a_field_holds_can_be_shown(value: Any, shown: Any) -> None:
    assert paths.shown(value) == shown


@pytest.mark.parametrize(
    ("value", "number"),
    [(7, 7), ("7", 7), ("7.0", 7), (7.9, 7), ("many", None), (True, None), (None, None)],
)
def test_points_are_whole_numbers_however_they_are_written(value: Any, number: int | None) -> None:
    assert paths.whole(value) == number
