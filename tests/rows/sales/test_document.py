"""docs/api.md: its requests are answered as it says, and it names every verb and no other."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

from besnik.loyalty.program import decode
from besnik.site.api.verbs import VERBS
from support.pos import Open, Pos

DOCUMENT = Path(__file__).resolve().parents[3] / "docs/api.md"
# What is another one each time: the document's word for it stands for the real one from then on.
VARYING = ("member", "link", "sale", "entry", "hold", "redemption")


def blocks() -> list[tuple[str, str]]:
    """Return the document's blocks of code: language and text."""
    text = DOCUMENT.read_text(encoding="utf-8")
    return re.findall(r"^```(\w+)\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)


class Reader:
    """Follows the document, request by request."""

    def __init__(self, pos: Pos) -> None:
        self.pos = pos
        self.real: dict[str, str] = {}

    def send(self, text: str) -> Any:
        """Send a request of the document, with what stands for the real things replaced."""
        line, _newline, body = text.partition("\n")
        for written, real in self.real.items():
            body = body.replace(json.dumps(written), json.dumps(real))
        return self.pos.send(line.removeprefix("POST /api/v1/"), body).json()

    def same(self, written: Any, real: Any, key: str = "") -> None:
        """Compare an answer with the document's."""
        if key in VARYING and type(written) is type(real):
            if isinstance(written, str):
                self.real[written] = real
        elif isinstance(written, dict):
            assert {*written} <= {*real}, key
            extra = {name: real[name] for name in {*real} - {*written}}
            assert not any(extra.values()) or set(extra) <= {"quantity", "category", "reward"}
            for name, value in written.items():
                self.same(value, real[name], name)
        elif isinstance(written, list):
            assert len(written) == len(real), key
            for one, other in zip(written, real, strict=True):
                self.same(one, other, key)
        else:
            assert written == real, key


def test_the_day_at_the_till_goes_as_the_document_says(open_shop: Open) -> None:
    found = blocks()
    program = next(text for language, text in found if language == "json" and "rule_sets" in text)
    reader = Reader(open_shop(decode(program)))
    asked = [place for place, (language, _) in enumerate(found) if language == "http"]
    assert len(asked) >= 7
    for place in asked:
        language, answer = found[place + 1]
        assert language == "json"
        reader.same(json.loads(answer), reader.send(found[place][1]))


def test_every_verb_is_in_the_table_and_no_other() -> None:
    table = (
        DOCUMENT.read_text(encoding="utf-8").split("| verb | what it does |")[1].split("\n\n")[0]
    )
    named = {
        name
        for line in table.splitlines()
        for name in re.findall(r"`([\w-]+)`", line.split("|")[1] if "|" in line else "")
    }
    assert named == {verb.name for verb in VERBS}
