"""The cashier's screen, from the tap on."""

from __future__ import annotations

from playwright.sync_api import expect

from besnik import demo
from browser.chain import Chain, TapSource
from browser.conftest import Open

UIDS = {card.key: card.uid or "" for card in demo.CARDS}


def test_a_member_s_tap_shows_who_is_there(
    chain: Chain, reader: TapSource, open_page: Open
) -> None:
    page = open_page(chain.cashier)
    expect(page.get_by_role("heading", name="Hold a card to the reader")).to_be_visible()
    expect(page.locator(".link")).to_have_text("Ready")
    reader.tap(UIDS["ana"])
    expect(page.locator(".name")).to_have_text("Ana Hoxha")
    expect(page.locator(".balance")).to_have_text("1 stamp")
    expect(page.locator(".verdict")).to_contain_text("Visit counted +1 stamp")
    expect(page.locator(".facts")).to_contain_text("Card active …2A19")
    reader.tap(UIDS["eleni"])
    expect(page.locator(".name")).to_have_text("Ελένη Παππά")
    expect(page.locator(".earlier li")).to_contain_text("Ana Hoxha")
