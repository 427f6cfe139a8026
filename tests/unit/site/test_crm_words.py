"""The pages have words for everything that adapters and walks can say."""

from __future__ import annotations

import re
import typing

import pytest

from besnik.crm import find, settling
from besnik.crm.matching import Kind
from besnik.crm.trial import Kind as TroubleKind
from besnik.crm.trial import Lack
from besnik.site.owner import crm_words

_ADDRESS = re.compile(r"https?://\S+\Z")
OURS = [name for name, point in find.adapters().items() if point.value.startswith("besnik.")]


@pytest.mark.parametrize("adapter", OURS)
def test_what_an_adapter_of_ours_asks_for_can_be_translated(adapter: str) -> None:
    asks = find.adapter(adapter).asks_for()
    said = {text for one in asks for text in (one.label, one.help) if text}
    assert {text for text in said if not _ADDRESS.match(text)} <= set(crm_words.ASKED)
    assert adapter in crm_words.NAMES
    assert adapter in crm_words.FIRST


def test_every_trouble_lack_and_difference_has_its_words() -> None:
    assert crm_words.TROUBLES.keys() == set(typing.get_args(TroubleKind))
    assert crm_words.LACKS.keys() == set(typing.get_args(Lack))
    assert crm_words.DIFFERENCES.keys() == set(typing.get_args(Kind)) == settling.DEEDS.keys()
    for kind, deeds in settling.DEEDS.items():
        assert tuple(crm_words.DIFFERENCES[kind].deeds) == deeds
