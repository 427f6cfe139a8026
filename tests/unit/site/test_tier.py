"""The cashier sees how far a card is to be trusted."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client

from besnik import demo

PAGE = f"/cashier/{demo.SHOP}/{demo.TILL}/"


@pytest.mark.parametrize(
    ("tier", "words"),
    [
        ("A", "Card proves itself"),
        ("D", "Card known by its number only"),
    ],
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
    assert f"/taps/{tap.pk}/enrol" not in page
    assert "Enrol with a printed code" in page


COPY = "This card is a copy, and it can be copied again. Please give another one."
ORIGINAL = "No sign of a copy was found."


@pytest.mark.parametrize(
    ("finding", "shown", "missing"),
    [("copy", [COPY], [ORIGINAL]), ("genuine", [ORIGINAL], [COPY]), ("", [], [COPY, ORIGINAL])],
)
def test_who_enrols_a_card_is_told_whether_it_is_a_copy(
    finding: str,
    shown: list[str],
    missing: list[str],
    client: Client,
    tapped: Callable[..., Any],
) -> None:
    tap = tapped("blank", "unknown")
    tap.finding = finding
    tap.save()

    pages = [client.get(PAGE).content.decode()]
    # The form that comes back because something is missing says it again.
    address = f"/cashier/{demo.SHOP}/{demo.TILL}/taps/{tap.pk}/enrol"
    pages.append(client.post(address, {"name": ""}).content.decode())
    for page in pages:
        assert all(text in page for text in shown)
        assert not any(text in page for text in missing)


def test_a_member_s_card_that_is_a_copy_is_named(
    client: Client, tapped: Callable[..., Any]
) -> None:
    tap = tapped("ana", "ok")
    assert "This card is a copy" not in client.get(PAGE).content.decode()
    tap.card.originality = "copy"
    tap.card.save()
    assert "This card is a copy" in client.get(PAGE).content.decode()


@pytest.mark.parametrize(
    ("finding", "view", "words"),
    [
        ("unsupported", "unsupported", "It is set to LRP, which cannot be checked here."),
        ("bad_mac", "unproved", "It is not one of this shop"),
        ("malformed", "unproved", "It is not one of this shop"),
        ("no_keys", "unproved", "It is not one of this shop"),
    ],
)
def test_an_address_that_proves_nothing_is_no_phone(
    finding: str, view: str, words: str, client: Client, tapped: Callable[..., Any]
) -> None:
    tap = tapped("blank", "unknown")
    tap.kind, tap.data, tap.tier, tap.finding = "sun", "0" * 32, "X", finding
    tap.save()

    page = client.get(PAGE).content.decode()
    assert f'data-view="{view}"' in page
    assert words in page
    assert "This phone cannot be recognised" not in page
    assert "0" * 32 not in page
