"""The owner's pages in a real browser: words that follow the form, at every size and language."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect

from browser.chain import Chain
from browser.conftest import Open

CODES = ("en", "sq", "ru", "el", "fa")
TILL = {"width": 1280, "height": 800}
PHONE = {"width": 390, "height": 844}
PAGES = (
    "",
    "program/",
    "program/templates/",
    "program/tiers/",
    "figures/",
    "imports/",
    "members/",
    "crm/",
    "crm/connect/salesforce/",
)


def fits(page: Page) -> bool:
    """Tell whether nothing has to be moved sideways to be seen."""
    return bool(
        page.evaluate(
            "document.documentElement.scrollWidth <= document.documentElement.clientWidth"
        )
    )


def test_what_a_rule_means_is_said_while_it_is_typed(chain: Chain, open_page: Open) -> None:
    page = open_page(chain.url("owner/program/rules/new/per_amount/"), viewport=TILL)
    words = page.locator("[data-words]")
    expect(words).to_contain_text("Fill in the form")
    page.get_by_label("for every").fill("2")
    expect(words).to_contain_text("1 point for every €2 you spend.")
    page.get_by_label("So many").fill("3")
    expect(words).to_contain_text("3 points for every €2 you spend.")
    words.locator("summary").click()
    expect(words.locator('[lang="fa"]').last).to_contain_text("۳ امتیاز")
    page.get_by_label("So many").fill("4")
    expect(words.locator('[lang="fa"]').last).to_contain_text("۴ امتیاز")


def test_a_reward_asks_only_for_what_its_kind_needs(chain: Chain, open_page: Open) -> None:
    page = open_page(chain.url("owner/program/rewards/new/"), viewport=TILL)
    off, percent = page.locator('[name="amount_minor"]'), page.locator('[name="share_bp"]')
    expect(off).to_be_visible()
    expect(percent).to_be_hidden()
    page.get_by_label("a percentage off").check()
    expect(off).to_be_hidden()
    expect(percent).to_be_visible()


def test_a_crm_that_is_not_there_is_told_in_plain_words(chain: Chain, open_page: Open) -> None:
    page = open_page(chain.url("owner/crm/connect/tryton/"), viewport=PHONE)
    expect(page.get_by_text("In Tryton, make a user for Besnik alone")).to_be_visible()
    page.get_by_label("Address").fill("http://127.0.0.1:1")
    page.get_by_label("User name").fill("besnik")
    page.get_by_label("Password").fill("not-the-right-one")
    page.get_by_label("A card to look up").fill("04 A1 B2 C3 D4 E5 80")
    page.get_by_role("button", name="Test").click()
    expect(page.get_by_text("It does not answer")).to_be_visible()
    assert fits(page)
    page.get_by_role("link", name="Change and test again").click()
    expect(page.get_by_label("Address")).to_have_value("http://127.0.0.1:1")
    expect(page.get_by_label("Password")).to_have_value("")


def test_the_claim_follows_its_slider(chain: Chain, open_page: Open) -> None:
    page = open_page(chain.url("owner/figures/"), viewport=TILL)
    expect(page.locator(".claim")).to_contain_text("25 – 100 %")
    page.locator("#more").fill("10")
    expect(page.locator(".claim")).to_contain_text("50 – 200 %")


@pytest.mark.parametrize("code", CODES)
def test_every_page_fits_at_every_size(chain: Chain, open_page: Open, code: str) -> None:
    page = open_page(chain.url("owner/"), viewport=PHONE, locale=code)
    for size in (PHONE, TILL):
        page.set_viewport_size(size)
        for name in PAGES:
            page.goto(chain.url(f"owner/{name}"))
            assert fits(page), f"{name} in {code} at {size['width']}"
            assert page.locator("html").get_attribute("lang") == code


def test_a_form_works_without_javascript(chain: Chain, open_page: Open) -> None:
    page = open_page(
        chain.url("owner/program/rules/new/per_visit/"), viewport=TILL, java_script_enabled=False
    )
    page.get_by_role("button", name="Say it in words").click()
    expect(page.locator("[data-words]")).to_contain_text("1 point for every visit.")
