"""Tryton's records as values."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest

from besnik.crm.foreign import Ambiguous, CrmAnswerError, Customer, Field, Visit
from besnik.crm.spelling import COUNT, canonical, spellings
from besnik.crm.tryton_values import (
    by_card,
    customer,
    described,
    event_of,
    events_domain,
    note,
    rows,
    shown,
)

CARD = "04A1B2C3D4E580"


def party(number: int, *codes: str, **more: Any) -> dict[str, Any]:
    identifiers = [{"id": 9, "type": None, "code": code} for code in codes]
    return {"id": number, "name": f"P{number}", "code": "7", "identifiers.": identifiers, **more}


@pytest.mark.parametrize(
    "written",
    [CARD, CARD.lower(), "04:A1:B2:C3:D4:E5:80", "04-a1-b2-c3-d4-e5-80", " 04 a1b2c3d4e580"],
)
def test_a_card_is_the_same_however_it_is_written(written: str) -> None:
    assert canonical(written) == CARD


@pytest.mark.parametrize("code", ["BES-0001", "04A1", "besnik", "04A1B2C3D4E5801"])
def test_what_is_no_card_number_stays_as_it_is(code: str) -> None:
    assert canonical(code) == code
    assert spellings(code) == [code]


def test_every_spelling_leads_back_to_the_card() -> None:
    written = spellings(CARD)
    assert {"04:a1:b2:c3:d4:e5:80", CARD.lower(), CARD} <= set(written)
    assert len(written) == COUNT
    assert {canonical(text) for text in written} == {CARD}


def test_a_card_is_one_customers_or_ambiguous() -> None:
    other = "5B3C2A19"
    parties = [party(1, CARD.lower(), CARD), party(2, other), party(3, "5b:3c:2a:19")]
    found = by_card([CARD, other, "00000000"], parties, [])
    assert found.keys() == {CARD, other}
    assert isinstance(found[CARD], Customer)
    assert found[other] == Ambiguous(("2", "3"))


def test_a_tax_number_is_no_card() -> None:
    row = party(1, CARD)
    row["identifiers."].append({"id": 10, "type": "eu_vat", "code": "5B3C2A19"})
    assert customer(row, []).cards == (CARD,)


def test_a_party_without_a_name_is_called_by_its_code() -> None:
    assert customer(party(1, name=None), []).name == "[7]"


@pytest.mark.parametrize(
    ("value", "is_shown"),
    [
        ("tea", "tea"),
        (None, None),
        (True, True),
        ({"__class__": "Decimal", "decimal": "12"}, 12),
        ({"__class__": "Decimal", "decimal": "12.50"}, 12.5),
        ({"__class__": "date", "year": 2026, "month": 3, "day": 9}, "2026-03-09"),
        (
            {"__class__": "datetime", "year": 2026, "month": 3, "day": 9, "hour": 8, "minute": 5},
            "2026-03-09 08:05",
        ),
        ({"__class__": "bytes", "base64": "AA=="}, None),
    ],
)
def test_a_value_is_shown_as_people_write_it(value: object, is_shown: object) -> None:
    assert shown({"id": 1, "field": value}, "field") == is_shown


def test_records_that_a_field_points_to_are_shown_by_name() -> None:
    row = {"id": 1, "lang.": {"rec_name": "Greek"}, "of.": [{"rec_name": "a"}, {"rec_name": "b"}]}
    assert shown(row, "lang.rec_name") == "Greek"
    assert shown(row, "of.rec_name") == "a, b"
    assert shown({"id": 1, "lang.": None, "of.": []}, "lang.rec_name") is None
    assert shown({"id": 1, "lang.": None, "of.": []}, "of.rec_name") is None


def test_fields_are_described_by_their_label() -> None:
    fields = {
        "name": {"type": "char", "string": "Name"},
        "id": {"type": "integer", "string": "ID"},
        "lang": {"type": "many2one", "string": "Language"},
        "photo": {"type": "binary", "string": "Photo"},
    }
    assert described(fields) == [
        Field("lang.rec_name", "Language", "text"),
        Field("name", "Name", "text"),
    ]
    with pytest.raises(CrmAnswerError):
        described([])


def test_a_note_says_what_happened_and_is_found_by_its_last_line() -> None:
    at = dt.datetime(2026, 11, 22, 12, 5, tzinfo=dt.UTC)
    visit = Visit("e1-55", "5", "redeem", "Corner Café", at, -20, 110)
    told = note(visit)
    assert told["resource"] == "party.party,5"
    assert told["message"].splitlines() == [
        "Reward at Corner Café, 2026-11-22 12:05 UTC: -20 points, 110 in all",
        "Besnik e1-55",
    ]
    assert event_of(told["message"]) == "e1-55"
    assert event_of("a person wrote this\nabout Besnik e1-55") == ""


def test_marks_in_an_event_are_no_wildcards() -> None:
    at = dt.datetime(2026, 11, 22, tzinfo=dt.UTC)
    domain = events_domain([Visit("m_1%", "5", "visit", "s", at)])
    assert domain[1] == ["OR", ["message", "like", "%Besnik m\\_1\\%"]]


@pytest.mark.parametrize("answer", [None, 7, {}, [7], [{"name": "no id"}], [{"id": "1"}]])
def test_an_answer_without_records_is_refused(answer: object) -> None:
    with pytest.raises(CrmAnswerError):
        rows(answer)
