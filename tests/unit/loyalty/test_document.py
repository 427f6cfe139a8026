"""docs/loyalty.md: its program is one, and its examples print what it says."""

from __future__ import annotations

import contextlib
import io
from pathlib import Path

import pytest

from besnik.loyalty.lint import refuse
from besnik.loyalty.program import decode
from besnik.loyalty.rules import Rule
from support.examples import Example, examples
from support.shop import Shop, receipt

DOCUMENT = Path(__file__).resolve().parents[3] / "docs/loyalty.md"
EXAMPLES = examples(DOCUMENT)


def test_the_program_of_the_document_is_one() -> None:
    text = DOCUMENT.read_text(encoding="utf-8")
    program = decode(text.split("```json")[1].split("```")[0])
    refuse(program)
    earned = Shop(program).accrue(receipt(3_790, tender="house_card")).earned.totals
    assert earned == {"point": 74 + 37}


def test_every_rule_is_in_the_table() -> None:
    rows = DOCUMENT.read_text(encoding="utf-8").split("| rule | gives |")[1].split("\n\n")[0]
    for kind in Rule.__args__:
        assert f"`{kind.__struct_config__.tag}`" in rows


@pytest.mark.parametrize("example", EXAMPLES, ids=[example.heading for example in EXAMPLES])
def test_an_example_prints_what_the_document_says(example: Example) -> None:
    out = io.StringIO()
    with contextlib.redirect_stdout(out):
        exec(compile(example.code, str(DOCUMENT), "exec"), {})
    assert out.getvalue() == example.printed


def test_there_are_examples() -> None:
    assert len(EXAMPLES) == 2
