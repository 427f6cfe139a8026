"""The keys of a till: what is typed, and what a scanner types."""

from __future__ import annotations

import time

import pytest
from playwright.sync_api import Page, expect

from besnik import demo
from browser.chain import Chain, TapSource
from browser.conftest import Open
from browser.test_cashier import tap_new

SCANNED_S = 0.005  # from key to key
UIDS = {card.key: card.uid or "08A1B2C3" for card in demo.CARDS}


def test_the_keyboard_alone_does_it_all(page: Page, reader: TapSource) -> None:
    reader.tap(UIDS["grace"])
    expect(page.locator(".name")).to_have_text("Grace Miller")
    page.keyboard.type("3.40")
    page.keyboard.press("Enter")
    expect(page.locator("[data-done]")).to_contain_text("€3.40 recorded for Grace Miller")
    page.keyboard.press("F4")
    expect(page.locator(".panel h2")).to_have_text("Redeem")
    expect(page.get_by_label("How many")).to_be_focused()
    page.keyboard.type("1000")
    page.keyboard.press("Enter")
    expect(page.locator(".panel .wrong")).to_be_visible()
    expect(page.get_by_label("How many")).to_have_value("1000")
    page.keyboard.press("Escape")
    expect(page.locator(".panel")).to_have_count(0)
    expect(page.get_by_label("Amount")).to_be_focused()
    page.keyboard.press("F2")
    page.keyboard.type("Hoxha")
    page.keyboard.press("Enter")
    expect(page.locator(".name")).to_have_text("Ana Hoxha")
    expect(page.locator(".board")).to_have_attribute("data-view", "found")
    page.keyboard.type("5")
    expect(page.get_by_label("Amount")).to_have_value("5")
    reader.tap(UIDS["eleni"])
    expect(page.locator("[data-next]")).to_contain_text("Ελένη Παππά")
    page.keyboard.press("F9")
    expect(page.locator(".name")).to_have_text("Ελένη Παππά")


def test_a_half_typed_amount_survives_and_the_next_customer_is_announced(
    page: Page, reader: TapSource
) -> None:
    reader.tap(UIDS["ana"])
    expect(page.locator(".name")).to_have_text("Ana Hoxha")
    page.keyboard.type("12,5")
    reader.tap(UIDS["eleni"])
    expect(page.locator("[data-next]")).to_contain_text("Next at the reader: Ελένη Παππά")
    expect(page.locator(".name")).to_have_text("Ana Hoxha")
    expect(page.get_by_label("Amount")).to_have_value("12,5")
    reader.tap(UIDS["boris"])
    expect(page.locator("[data-next]")).to_have_attribute("data-tone", "bad")
    page.keyboard.press("Enter")
    expect(page.locator("[data-done]")).to_contain_text("€12.50 recorded for Ana Hoxha")
    expect(page.locator(".name")).to_have_text("Борис Орлов")
    expect(page.locator("[data-next]")).to_be_hidden()


def test_an_amount_typed_before_the_card_is_the_next_customer_s(
    chain: Chain, page: Page, reader: TapSource, open_page: Open
) -> None:
    quiet = open_page(chain.quiet_cashier)
    expect(quiet.locator(".link")).to_have_text("Ready")
    quiet.keyboard.type("7.90")
    quiet.keyboard.press("Enter")
    expect(quiet.locator("[data-done]")).to_contain_text("€7.90 waits for the next card.")
    expect(quiet.get_by_label("Amount")).to_have_value("")


def press_fast(page: Page, *keys: str) -> None:
    """Press keys as fast as a scanner, by the keys' own time: a busy machine makes it no slower."""
    devtools = page.context.new_cdp_session(page)
    began_s = time.time()
    for number, key in enumerate(keys):
        text = {"Enter": "\r"}.get(key, key if len(key) == 1 else "")
        at = {"timestamp": began_s + number * SCANNED_S}
        pressed = {"type": "keyDown", "key": key, "code": key, "text": text, **at}
        devtools.send("Input.dispatchKeyEvent", pressed)


# A scanner with its shift key down for capitals types no slower, and is one all the same.
@pytest.mark.parametrize("before_each", [(), ("Shift",)], ids=["plain", "shifted"])
def test_what_a_scanner_reads_is_looked_up_wherever_the_cursor_is(
    page: Page, reader: TapSource, before_each: tuple[str, ...]
) -> None:
    reader.tap(UIDS["grace"])
    expect(page.locator(".name")).to_have_text("Grace Miller")
    page.keyboard.type("12")
    page.wait_for_timeout(100)
    press_fast(page, *(key for typed in UIDS["eleni"] for key in (*before_each, typed)), "Enter")
    expect(page.locator(".name")).to_have_text("Ελένη Παππά")


def test_who_types_as_fast_as_a_scanner_is_no_scanner(
    page: Page, reader: TapSource, new_uid: str
) -> None:
    tap_new(page, reader, new_uid)
    expect(page.get_by_label("Name")).to_be_focused()
    press_fast(page, *"Nora Dema", "Tab", "Enter")
    expect(page.get_by_label("Name")).to_have_value("Nora Dema")
    expect(page.locator("form.enrol")).to_contain_text("Hold the same card to the reader once more")
