"""The owner's page of readers: live, in words, at every size and in every language."""

from __future__ import annotations

from typing import Any

import pytest
from playwright.sync_api import Page, expect

from besnik import contract, demo
from browser.chain import BOOT, Chain, TapSource, add_readers
from browser.conftest import Open
from browser.test_looks import CODES, english, look_all_ways

WELL = contract.Health(3600, -61, 30_000, 0, 0, 0, 0, 42)
INFO = contract.Info("0.1.0", "1.3.4", "1.27.0", 1, BOOT, 1)
ROUGH = contract.Health(7200, -88, 5_000, 12, 3, 40, 9, 1900)


@pytest.fixture
def page(chain: Chain, reader: TapSource, open_page: Open) -> Page:
    """The page, current, with a reader that is well."""
    opened = open_page(chain.url("readers/"))
    expect(opened.locator(".fleet > .link")).to_have_text("Up to date")
    reader.publish("state", contract.State("online", BOOT), retain=True)
    reader.publish("info", INFO, retain=True)
    reader.publish("health", WELL)
    expect(card(opened).locator(".state")).to_contain_text("On line")
    return opened


def card(page: Page) -> Any:
    return page.locator(f"#reader-{demo.READER}")


def test_what_a_reader_says_is_on_the_page_without_reload(page: Page, reader: TapSource) -> None:
    page.evaluate("() => { window.stays = true; }")
    expect(card(page).locator(".figures")).to_contain_text("Wi-Fi signal good -61 dBm")
    reader.publish("health", ROUGH)
    faults = card(page).locator(".faults")
    expect(faults).to_contain_text("3 taps were lost")
    expect(faults).to_contain_text("Check the wires and the power of the RC522")
    reader.publish("state", contract.State("lost", BOOT), retain=True)
    expect(card(page).locator(".state")).to_contain_text("Connection lost")
    expect(faults).to_contain_text("Check that it has power and that its Wi-Fi reaches it.")
    reader.publish("state", contract.State("lost", BOOT - 1), retain=True)
    reader.publish("state", contract.State("online", BOOT), retain=True)
    reader.publish("health", WELL)
    expect(card(page).locator(".state")).to_contain_text("On line")
    expect(faults).to_have_count(0)
    before = card(page).locator(".figures div").first.inner_text()
    reader.tap("5B3C2A19")
    expect(card(page).locator(".figures div").first).to_contain_text("just now")
    assert before.startswith("Last tap")
    assert page.evaluate("() => window.stays") is True


def test_it_is_reached_from_the_start_and_the_till(chain: Chain, open_page: Open) -> None:
    page = open_page(chain.cashier)
    page.get_by_role("link", name="Readers").click()
    expect(page.get_by_role("link", name="Readers", exact=True)).to_have_attribute(
        "aria-current", "page"
    )
    page.goto(chain.url())
    page.locator("main").get_by_role("link", name="Readers").click()
    expect(page.locator(".fleet")).to_be_visible()


def test_without_a_bridge_the_page_says_that_it_ages(chain: Chain, page: Page) -> None:
    chain.bridge.kill()
    expect(page.locator(".fleet > .link")).to_contain_text("The bridge is away")
    expect(page.locator("[data-stale]")).to_contain_text("Last up to date 0:0")
    chain.restart_bridge()
    expect(page.locator(".fleet > .link")).to_have_text("Up to date")
    expect(page.locator("[data-stale]")).to_be_hidden()


@pytest.mark.parametrize("language", CODES)
def test_the_page_looks_right(chain: Chain, open_page: Open, language: str) -> None:
    add_readers(chain.database_url)
    page = open_page(chain.url("readers/"), locale=language)
    expect(page.locator(".fleet > .link")).to_have_attribute("data-link", "live")
    expect(page.locator(".reader")).to_have_count(6)
    states = page.locator(".reader .state strong").all_inner_texts()
    assert len(set(states)) == 5
    shapes = page.locator(".reader .state svg").evaluate_all("all => all.map((e) => e.innerHTML)")
    assert len(set(shapes)) == 5
    expect(page.locator("#reader-online-9 .faults li")).to_have_count(8)
    texts = look_all_ways(page)
    if language != "en":
        assert {found["text"] for found in texts} & english() == set()
