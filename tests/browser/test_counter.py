"""The counter page: what one does to cards there, and what the reader's pins say."""

from __future__ import annotations

from playwright.sync_api import expect

from browser.chain import Chain, Counter
from browser.conftest import Open


def test_a_card_held_by_keyboard_lights_the_led(
    chain: Chain, counter: Counter, open_page: Open
) -> None:
    page = open_page(chain.url("demo/"))
    expect(page.locator(".counter .link")).to_have_text("Reader switched on")
    expect(page.locator(".till .link")).to_have_text("Ready", timeout=20_000)
    card = page.get_by_role("button", name="Ana's card")
    card.press("Enter")
    expect(page.locator(".device")).to_have_attribute("data-colour", "green")
    expect(page.locator(".name")).to_have_text("Ana Hoxha")
    expect(page.locator(".signals")).to_contain_text("Accepted")
