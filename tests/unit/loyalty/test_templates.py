"""Each template: one golden program, its words and what its sales give."""

from __future__ import annotations

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from besnik.loyalty.engine import Standing
from besnik.loyalty.program import decode, encode
from besnik.loyalty.rules import RuleError
from besnik.loyalty.sale import Line, simple_sale
from besnik.loyalty.templates import TEMPLATES
from besnik.loyalty.text import program_text
from besnik.loyalty.texts.catalogue import say
from support.shop import BASIS, NOON, Shop

NAMES = sorted(TEMPLATES)

# What the program says, and what a sale of an amount (minor units) in a tender gives.
GOLDEN: dict[str, tuple[list[str], dict[tuple[int, str], dict[str, int]]]] = {
    "cafe_stamps": (
        ["1 stamp for every item of: coffee.", "10 stamps = free coffee."],
        {(250, "cash"): {"stamp": 1}},
    ),
    "savings": (
        [
            "1 point for every EUR 1 you spend.",
            "A part of EUR 1 does not count.",
            "10 points for joining.",
            "50 points = EUR 5 off.",
            "points: can be used for 24 months.",
        ],
        {(4_780, "cash"): {"point": 47}, (99, "cash"): {}},
    ),
    "boloco": (
        [
            "1 free item each time you have spent EUR 50.",
            "What is left over counts towards the next time.",
            "1 free item = any item.",
        ],
        {(4_999, "cash"): {}, (5_000, "cash"): {"item": 1}, (12_000, "cash"): {"item": 2}},
    ),
    "fidaty_excess": (
        [
            "2 points for every EUR 1 above EUR 5; the first EUR 5 do not count.",
            "A part of EUR 1 does not count.",
            "points: can be used until 31 days after the end of the period of 12 months.",
        ],
        {(499, "cash"): {}, (500, "cash"): {}, (3_790, "cash"): {"point": 64}},
    ),
    "fidaty_gate": (
        [
            "2 points for every EUR 1, on a sale of EUR 5 or more.",
            "A part of EUR 1 does not count.",
            "points: can be used until 31 days after the end of the period of 12 months.",
        ],
        {(499, "cash"): {}, (500, "cash"): {"point": 10}, (3_790, "cash"): {"point": 74}},
    ),
    "coop_euro": (
        [
            "1 point for every EUR 1 you spend.",
            "A part of EUR 1 does not count.",
            "1 point more for every 2 points earned, if you pay with: our card.",
            "points: can be used until 31 days after the end of the period of 12 months.",
        ],
        {(3_790, "house_card"): {"point": 55}, (3_790, "cash"): {"point": 37}},
    ),
    "airline_a": (
        [
            "1 point for every EUR 1 you spend.",
            "A part of EUR 1 does not count.",
            "1 status point for every EUR 1 you spend.",
            "A part of EUR 1 does not count.",
            "Red: every member.",
            "Red also gets: car hire, parking, hotel discounts.",
            "Silver: from 500 status points.",
            "Silver earns 30 % more.",
            "Silver also gets: fast check-in, priority.",
            "Gold: from 1500 status points.",
            "Gold earns 60 % more.",
            "Gold also gets: fast check-in, priority, lounges, snack, massage.",
            "What counts is the running period of 12 months.",
        ],
        {(100_000, "cash"): {"point": 1_000, "status": 1_000}},
    ),
    "paid_vip": (["EUR 60 for 365 days: free delivery."], {}),
    "recognition": ([], {}),
}
GOLDEN["airline_b"] = (
    [line.replace("30 %", "50 %").replace("60 %", "100 %") for line in GOLDEN["airline_a"][0]],
    GOLDEN["airline_a"][1],
)


def test_every_template_has_its_golden_program() -> None:
    assert GOLDEN.keys() == TEMPLATES.keys()


@pytest.mark.parametrize("name", TEMPLATES)
def test_a_template_says_and_gives_what_it_should(name: str) -> None:
    program = TEMPLATES[name](BASIS)
    words, sales = GOLDEN[name]
    assert [say(message, "en") for message in program_text(program)] == words
    for (amount_minor, tender), earned in sales.items():
        sale = simple_sale(amount_minor, NOON, tender)
        line = Line("1", amount_minor, category="coffee")
        sale = msgspec.structs.replace(sale, lines=(line,))
        assert Shop(program).accrue(sale, standing=Standing()).earned.totals == earned


@pytest.mark.parametrize("name", TEMPLATES)
def test_a_program_is_data(name: str) -> None:
    program = TEMPLATES[name](BASIS)
    assert decode(encode(program)) == program


@pytest.mark.parametrize(
    ("data", "why"),
    [
        ("{", "no JSON"),
        ('{"x":' + "[" * 100_000, "no JSON"),
        ("{}", "missing required field `id`"),
        (
            '{"id":1,"name":"x","currency":{"code":"EUR","exponent":2},"zone":"Mars/Base"}',
            "no time zone",
        ),
        (
            '{"id":1,"name":"x","currency":{"code":"EUR","exponent":2},"zone":"UTC","rule_sets":'
            '[{"version":1,"first_day":"2026-01-01","rules":'
            '[{"type":"per_amount","id":"a","per_minor":0}]}]}',
            "per_minor is 1 to",
        ),
    ],
)
def test_data_that_is_no_program_is_refused_with_the_reason(data: str, why: str) -> None:
    with pytest.raises(RuleError, match=why):
        decode(data)


@given(st.binary(max_size=60), st.integers(0, 4_000), st.integers(0, 4_000), st.sampled_from(NAMES))
def test_damaged_data_is_refused_and_never_anything_worse(
    junk: bytes, start: int, end: int, name: str
) -> None:
    data = encode(TEMPLATES[name](BASIS))
    first, last = sorted((start % len(data), end % len(data)))
    try:
        decode(data[:first] + junk + data[last:])
    except RuleError as refusal:
        assert str(refusal)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b'"give":10', b'"give":1000000001'),
        (b'"months":24', b'"months":99999'),
        (b'"amount_minor":500', b'"amount_minor":0'),
        (b'"cost":50', b'"cost":-1'),
        (b'"give":10', b'"give":1.5'),
        (b'"id":3', b'"pending_days":99999,"id":3'),
    ],
)
def test_figures_beyond_all_sense_are_refused(old: bytes, new: bytes) -> None:
    data = encode(TEMPLATES["savings"](BASIS))
    assert old in data
    with pytest.raises(RuleError):
        decode(data.replace(old, new))


def test_a_version_is_never_two() -> None:
    program = TEMPLATES["savings"](BASIS)
    with pytest.raises(RuleError, match="a change is a new version"):
        msgspec.structs.replace(program, rule_sets=program.rule_sets * 2)
