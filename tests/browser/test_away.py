"""The cashier's screen while something is away: it says so, ages, and catches up by itself."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from besnik import contract, demo
from browser.chain import BOOT, Chain, TapSource
from browser.conftest import Open
from browser.test_looks import look
from support.proxy import Proxy
from support.store import locked_taps, without_taps_table

LOOK_MS = 700  # a page looks at its clock more often than that (TICK_MS in stream.js)
UIDS = {card.key: card.uid or "08A1B2C3" for card in demo.CARDS}
AGE = re.compile(r"^Last up to date \d:\d\d ago$")
COUNT_BOARDS = """() => {
  window.boards = 0;
  new MutationObserver((changes) => { window.boards += changes.length; })
    .observe(document.querySelector("[data-board]"), { childList: true });
}"""
# What is said for less time than it takes to look has been said all the same.
NOTE_LINKS = """() => {
  const link = document.querySelector(".till .link");
  window.links = [];
  new MutationObserver(() => { window.links.push(link.dataset.link); })
    .observe(link, { attributeFilter: ["data-link"] });
}"""


@pytest.fixture
def page(chain: Chain, reader: TapSource, open_page: Open) -> Page:
    """The till's screen, connected, with Grace on it."""
    opened = open_page(chain.cashier)
    reader.tap(UIDS["grace"])
    expect(opened.locator(".name")).to_have_text("Grace Miller")
    expect(opened.locator(".link")).to_have_text("Ready")
    return opened


def is_stale(page: Page, link: str) -> None:
    """Expect that the page says what is away and how old it is, in words and without colour."""
    expect(page.locator(".till .link")).to_contain_text(link)
    expect(page.locator("[data-stale]")).to_have_text(AGE)
    expect(page.locator(".stage")).to_have_css("filter", "grayscale(1)")
    look(page)


def is_current(page: Page) -> None:
    expect(page.locator(".till .link")).to_have_text("Ready", timeout=15_000)
    expect(page.locator("[data-stale]")).to_be_hidden()
    expect(page.locator(".stage")).to_have_css("filter", "none")


def missed(page: Page) -> list[str]:
    return [line.strip() for line in page.locator(".missed li > span").all_inner_texts()]


def test_taps_while_the_site_was_dead_are_shown_once_and_in_order(
    chain: Chain, page: Page, reader: TapSource
) -> None:
    page.evaluate(COUNT_BOARDS)
    chain.site.kill()
    is_stale(page, "This page has lost its connection")
    for key in ("ana", "eleni", "boris", "dariush"):
        reader.tap(UIDS[key])
    chain.restart_site()
    expect(page.locator(".name")).to_have_text("داریوش کریمی", timeout=15_000)
    is_current(page)
    expect(page.locator(".missed h2")).to_have_text("While this page was away: 3 taps")
    assert missed(page) == ["Борис Орлов · blocked", "Ελένη Παππά", "Ana Hoxha"]
    expect(page.locator(".earlier:not(.missed) li").first).to_contain_text("Grace Miller")
    assert page.evaluate("() => window.boards") == 1
    look(page)


def test_taps_while_the_broker_was_dead_are_shown_once_it_is_back(
    chain: Chain, page: Page, reader: TapSource
) -> None:
    chain.broker.kill()
    is_stale(page, "No connection to the readers.")
    chain.broker.start()
    reader.connect()
    tap = reader.tap(UIDS["ana"])  # heard by nobody: the bridge is not back yet
    is_current(page)
    reader.repeat(tap, UIDS["ana"])  # as readers do that have no verdict
    expect(page.locator(".name")).to_have_text("Ana Hoxha")


def test_taps_while_nobody_answers_are_shown_once_somebody_does(
    chain: Chain, page: Page, reader: TapSource
) -> None:
    chain.bridge.kill()
    is_stale(page, "Taps are not answered just now.")
    for key in ("ana", "eleni"):
        reader.tap(UIDS[key])
    chain.restart_bridge()
    expect(page.locator(".name")).to_have_text("Ελένη Παππά", timeout=15_000)
    is_current(page)
    expect(page.locator(".earlier li").first).to_contain_text("Ana Hoxha")


def test_a_stream_that_freezes_is_noticed_and_what_came_meanwhile_is_caught_up(
    chain: Chain, reader: TapSource, open_page: Open, complaints: list[str], new_uid: str
) -> None:
    with Proxy(chain.port) as proxy:
        address = f"http://127.0.0.1:{proxy.port}/"
        page = open_page(chain.cashier.replace(chain.url(), address))
        reader.tap(UIDS["grace"])
        expect(page.locator(".name")).to_have_text("Grace Miller")
        is_current(page)
        reader.tap(new_uid)
        page.get_by_label("Name").fill("Nora")
        proxy.freeze()
        page.get_by_role("button", name="Enrol").click()
        expect(page.locator("form.enrol")).to_have_attribute("aria-busy", "true")
        reader.tap(UIDS["ana"])
        reader.tap(UIDS["eleni"])
        is_stale(page, "This page has lost its connection")
        expect(page.locator(".verdict")).to_contain_text("New card")
        proxy.thaw()
        # What is typed for the new card stays, and who came meanwhile is announced beside it.
        expect(page.locator("[data-next]")).to_contain_text("Ελένη Παππά", timeout=15_000)
        expect(page.get_by_label("Name")).to_have_value("Nora")
        page.keyboard.press("F9")
        expect(page.locator(".name")).to_have_text("Ελένη Παππά")
        is_current(page)
        assert missed(page) == ["Ana Hoxha"]
        page.context.close()
    complaints[:] = [line for line in complaints if address not in line]


def test_a_database_that_is_locked_is_told_and_taps_count_later(
    chain: Chain, page: Page, reader: TapSource
) -> None:
    with locked_taps(chain.database_url):
        reader.tap(UIDS["ana"])
        is_stale(page, "Taps are not answered just now.")
        expect(page.locator(".name")).to_have_text("Grace Miller")
    expect(page.locator(".name")).to_have_text("Ana Hoxha", timeout=15_000)
    is_current(page)


def test_a_database_that_is_away_is_told_and_taps_count_later(
    chain: Chain, page: Page, reader: TapSource
) -> None:
    with without_taps_table(chain.database_url):
        reader.publish("state", contract.State("online", BOOT), retain=True)
        is_stale(page, "The shop’s records do not answer just now.")
        reader.tap(UIDS["ana"])
    expect(page.locator(".name")).to_have_text("Ana Hoxha", timeout=15_000)
    is_current(page)


def hide(page: Page, hidden: str) -> None:
    """Put the page into the background or bring it back, as it sees that itself."""
    page.evaluate(
        f"Object.defineProperty(document, 'hidden', {{value: {hidden}, configurable: true}});"
        "document.dispatchEvent(new Event('visibilitychange'))"
    )


def wake(page: Page) -> None:
    """Put the machine to sleep for a minute: its timers and its streams sleep too.

    A page that hears the server before it looks at the clock has missed nothing: then once more.
    """
    for _ in range(10):
        page.evaluate("const now = Date.now; Date.now = () => now() + 60_000")
        page.wait_for_timeout(LOOK_MS)
        if page.evaluate("links.length"):
            return


@pytest.mark.parametrize("asleep", [lambda page: hide(page, "true"), wake], ids=["tab", "machine"])
def test_after_sleep_nothing_old_is_shown_as_current(
    page: Page, reader: TapSource, asleep: Callable[[Page], None]
) -> None:
    page.evaluate(NOTE_LINKS)
    asleep(page)
    if asleep is not wake:
        reader.tap(UIDS["ana"])
        expect(page.locator(".till .link")).to_have_text("Connecting…")
        is_stale(page, "Connecting…")
        hide(page, "false")
        expect(page.locator(".name")).to_have_text("Ana Hoxha")
    else:
        assert page.evaluate("links[0]") == "lost"
    is_current(page)


def test_a_visit_that_is_said_again_and_again_is_shown_once(
    chain: Chain, page: Page, reader: TapSource
) -> None:
    page.evaluate(COUNT_BOARDS)
    balance = int(page.locator(".balance strong").inner_text())
    tap = reader.tap(UIDS["grace"])
    expect(page.locator(".balance strong")).to_have_text(str(balance + 1))
    visit = contract.Visit(1, tap, demo.SHOP, demo.READER, None, "accepted", "ok")
    with chain.bridge_user() as bridge:
        for _ in range(20):
            bridge.publish("visit", visit)
    for _ in range(5):
        reader.repeat(tap, UIDS["grace"])
    page.wait_for_timeout(500)
    assert page.evaluate("() => window.boards") == 1
    expect(page.locator(".balance strong")).to_have_text(str(balance + 1))
