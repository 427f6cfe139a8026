"""The cashier sees how far a card is to be trusted."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client

from besnik import demo

PAGE = f"/cashier/{demo.SHOP}/{demo.TILL}/"


@pytest.mark.parametrize(
    ("tier", "words"), [("A", "Card proves itself"), ("D", "Card known by its number only")]
)
def test_the_tier_of_the_card_is_shown_in_words(
    tier: str, words: str, client: Client, tapped: Callable[..., Any]
) -> None:
    tap = tapped("ana", "ok")
    tap.tier = tier
    tap.save()

    page = client.get(PAGE).content.decode()

    assert words in page
    assert f'data-tier="{tier}"' in page


def test_a_card_that_proves_nothing_has_no_such_line(
    client: Client, tapped: Callable[..., Any]
) -> None:
    tap = tapped("phone", "random_id")
    tap.tier = "X"
    tap.save()

    assert "data-tier" not in client.get(PAGE).content.decode()


def test_what_proved_nothing_is_not_offered_for_enrolment(
    client: Client, tapped: Callable[..., Any]
) -> None:
    tap = tapped("blank", "unknown")
    assert 'data-view="new"' in client.get(PAGE).content.decode()
    tap.tier = "X"
    tap.save()

    page = client.get(PAGE).content.decode()
    assert 'data-view="new"' not in page
    assert "<form" not in page.split("data-enrol")[-1].split("</section>")[0]
