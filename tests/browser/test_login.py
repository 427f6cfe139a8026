"""Logging in, and logging in again beside a page on which something was typed."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Page, expect

from browser.chain import Chain, TapSource
from browser.conftest import PHONE, TILL, Open
from browser.test_looks import look

SECRET = "correct horse battery"


@pytest.fixture(scope="module")
def person(chain: Chain) -> str:
    """A cashier with a password."""
    chain.add_person("nora", SECRET, "cashier")
    return "nora"


def forget_refusals(complaints: list[str]) -> None:
    """Take out what Chromium writes of every answer that is a refusal."""
    complaints[:] = [line for line in complaints if not re.search(r"status of 4(01|22)", line)]


def log_in(page: Page, username: str, password: str = SECRET) -> None:
    page.get_by_label("User name").fill(username)
    page.get_by_label("Password").fill(password)
    page.get_by_role("button", name="Log in").click()


def test_logging_in_leads_to_the_till_and_out_again(
    chain: Chain, open_page: Open, person: str, complaints: list[str]
) -> None:
    page = open_page(chain.quiet_cashier, role="")
    expect(page.get_by_label("User name")).to_be_focused()
    log_in(page, person, "wrong")
    expect(page.get_by_role("alert")).to_contain_text("do not belong together")
    expect(page.get_by_label("User name")).to_have_value("nora")
    expect(page.get_by_label("Password")).to_be_focused()
    log_in(page, person)
    expect(page).to_have_url(chain.quiet_cashier)
    page.locator(".self summary").click()
    page.get_by_role("button", name="Log out").click()
    expect(page.get_by_role("heading", name="Log in")).to_be_visible()
    page.goto(chain.quiet_cashier)
    expect(page.get_by_role("heading", name="Log in")).to_be_visible()
    forget_refusals(complaints)


def test_what_was_typed_outlives_a_session(
    chain: Chain,
    reader: TapSource,
    open_page: Open,
    person: str,
    new_uid: str,
    complaints: list[str],
) -> None:
    page = open_page(chain.cashier, role="")
    log_in(page, person)
    expect(page.locator("[data-till] .link")).to_have_text("Ready")
    reader.tap(new_uid)
    page.get_by_label("Name").fill("Nora Dema")
    other = page.context.new_page()
    other.goto(chain.url())
    other.locator(".self summary").click()
    other.get_by_role("button", name="Log out").click()
    expect(other.get_by_role("heading", name="Log in")).to_be_visible()

    bar = page.locator("[data-again]")
    expect(bar).to_be_visible(timeout=15_000)
    expect(bar).to_contain_text("What you typed is kept.")
    expect(page.get_by_label("Name")).to_have_value("Nora Dema")
    look(page)
    with page.expect_popup() as opened:
        bar.get_by_role("link", name="Log in again").click()
    log_in(opened.value, person)
    expect(opened.value.get_by_role("heading", name="You are logged in")).to_be_visible()
    opened.value.close()

    page.bring_to_front()
    expect(bar).to_be_hidden(timeout=15_000)
    expect(page.locator("[data-till] .link")).to_have_text("Ready", timeout=15_000)
    expect(page.get_by_label("Name")).to_have_value("Nora Dema")
    page.get_by_role("button", name="Enrol").click()
    expect(page.locator("form.enrol")).to_contain_text("Hold the same card to the reader once more")
    reader.tap(new_uid)
    expect(page.locator("[data-done]")).to_contain_text("Nora Dema is enrolled.")
    forget_refusals(complaints)


@pytest.mark.parametrize("language", ["en", "fa"])
@pytest.mark.parametrize("viewport", [PHONE, TILL], ids=["phone", "till"])
def test_the_pages_of_staff_fit(
    chain: Chain, open_page: Open, language: str, viewport: dict[str, int]
) -> None:
    page = open_page(chain.url("owner/staff/"), locale=language, viewport=viewport)
    page.locator("details.card summary").click()
    look(page)
    for path in ("owner/staff/1/", "owner/audit/", "account/password", "account/pin"):
        page.goto(chain.url(path))
        look(page)
