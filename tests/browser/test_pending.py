"""The cashier's screen while the shop's own CRM is asked whose card it is."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import expect

from browser.chain import Chain, TapSource
from browser.conftest import PHONE, TILL, Open
from support.store import connect_crm, execute


@pytest.fixture(autouse=True)
def crm(chain: Chain) -> Iterator[None]:
    """The shop has a CRM, and nobody who asks it."""
    connect_crm(chain.database_url, "http")
    yield
    execute(chain.database_url, "DELETE FROM store_crmpending")
    execute(chain.database_url, "DELETE FROM store_crmsource")


@pytest.mark.parametrize("viewport", [PHONE, TILL], ids=["phone", "till"])
def test_a_card_that_waits_for_the_crm_is_no_new_card(
    chain: Chain, reader: TapSource, open_page: Open, viewport: dict[str, int], new_uid: str
) -> None:
    page = open_page(chain.cashier, viewport=viewport)
    reader.tap(new_uid)
    bar = page.locator(".verdict")
    expect(bar).to_contain_text("One moment, please The shop’s CRM is asked whose card this is.")
    expect(bar.locator("svg")).to_be_visible()
    expect(page.locator("form.enrol")).to_have_count(0)


def test_a_crm_that_is_away_is_said_to_be_away(
    chain: Chain, reader: TapSource, open_page: Open, new_uid: str
) -> None:
    execute(chain.database_url, "UPDATE store_crmsource SET breaker = 'open'")
    page = open_page(chain.cashier)
    reader.tap(new_uid)
    expect(page.locator(".verdict")).to_contain_text("The shop’s CRM does not answer now.")


def test_it_is_said_in_the_cashier_s_language(
    chain: Chain, reader: TapSource, open_page: Open, new_uid: str
) -> None:
    page = open_page(chain.cashier, locale="fa")
    reader.tap(new_uid)
    expect(page.locator(".verdict strong")).to_have_text("لطفاً یک لحظه صبر کنید")
