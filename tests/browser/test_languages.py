"""The pages about those who work here are no wider than a phone, in the longest languages."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect

from browser.chain import Chain
from browser.conftest import PHONE, Open
from browser.test_looks import TOO_WIDE

PAGES = ("owner/staff/", "owner/audit/", "account/password", "account/pin")


def look(page: Page, path: str, language: str) -> None:
    answer = page.goto(path)
    assert answer is not None and answer.ok, path
    expect(page.locator("html")).to_have_attribute("lang", language)
    assert page.evaluate(TOO_WIDE) == [], (path, language)


# Russian and Greek have the longest words, Persian begins at the other side.
@pytest.mark.parametrize("language", ["ru", "el", "fa"])
def test_no_page_is_wider_than_a_phone(chain: Chain, open_page: Open, language: str) -> None:
    page = open_page(chain.url(), locale=language, viewport=PHONE)
    for path in PAGES:
        look(page, chain.url(path), language)
