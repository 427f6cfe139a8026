"""Every page of the owner opens, on a shop that has hardly begun."""

from __future__ import annotations

import pytest
from django.test import Client
from django.urls import reverse

PAGES = (
    "owner",
    "owner-program",
    "owner-program-templates",
    "owner-tiers",
    "owner-reward-new",
    "owner-program-preview",
    "owner-program-versions",
    "owner-program-document",
    "owner-program-download",
    "owner-program-end",
    "owner-members",
    "owner-figures",
    "owner-figures-sheet",
    "owner-places",
    "owner-stock",
    "owner-alerts",
    "owner-imports",
    "owner-import-example",
    "owner-exports",
    "owner-export-members",
    "owner-export-sales",
    "owner-export-entries",
)
KINDS = [
    "per_amount",
    "per_visit",
    "per_item",
    "spend_threshold",
    "tender_bonus",
    "multiplier",
    "cap",
]


def test_every_page_opens(client: Client) -> None:
    shown = {name: client.get(reverse(name)).status_code for name in PAGES}
    assert set(shown.values()) == {200}, shown


def test_every_form_of_the_program_opens(client: Client) -> None:
    for kind in KINDS:
        assert client.get(f"/owner/program/rules/new/{kind}/").status_code == 200
    for part in ("basics", "expiry", "gift", "limits", "start"):
        assert client.get(f"/owner/program/terms/{part}/").status_code == 200
    assert client.get("/owner/program/rules/new/none/").status_code == 404
    assert client.get("/owner/program/terms/none/").status_code == 404


@pytest.mark.parametrize("language", ["sq", "ru", "el", "fa"])
def test_the_heaviest_pages_open_in_each_language(client: Client, language: str) -> None:
    for name in ("owner-program", "owner-figures", "owner-tiers"):
        answer = client.get(reverse(name), headers={"Accept-Language": language})
        assert answer.status_code == 200
        assert f'lang="{language}"'.encode() in answer.content
