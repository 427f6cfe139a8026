"""The cashier's screen, from the tap on."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Page, expect

from besnik import contract, demo
from browser.chain import BOOT, Chain, TapSource
from browser.conftest import PHONE, TILL, Open

UIDS = {card.key: card.uid or "08A1B2C3" for card in demo.CARDS}


@pytest.fixture
def page(chain: Chain, reader: TapSource, open_page: Open) -> Page:
    """The till's screen, connected."""
    opened = open_page(chain.cashier)
    expect(opened.locator(".link")).to_have_text("Ready")
    return opened


def tap_new(page: Page, reader: TapSource, uid: str) -> None:
    """Tap a card nobody has and wait for its form; an earlier test may have left another's."""
    reader.tap(uid)
    expect(page.locator("form.enrol h2")).to_contain_text(uid)


def test_a_till_where_nothing_happened_waits(chain: Chain, open_page: Open) -> None:
    page = open_page(chain.quiet_cashier)
    expect(page.get_by_role("heading", name="Hold a card to the reader")).to_be_visible()
    expect(page.locator(".link")).to_have_text("Ready")


def test_a_member_s_tap_shows_who_is_there(page: Page, reader: TapSource) -> None:
    reader.tap(UIDS["ana"])
    expect(page.locator(".name")).to_have_text("Ana Hoxha")
    expect(page.locator(".verdict")).to_contain_text("Visit counted +1 stamp")
    expect(page.locator(".facts")).to_contain_text("Card active …2A19")
    before = int(page.locator(".balance strong").inner_text())
    reader.tap(UIDS["eleni"])
    expect(page.locator(".name")).to_have_text("Ελένη Παππά")
    expect(page.locator(".earlier li").first).to_contain_text("Ana Hoxha")
    reader.tap(UIDS["ana"])
    expect(page.locator(".balance strong")).to_have_text(str(before + 1))
    expect(page.locator(".visits li").first).to_have_text(
        re.compile(r"^today \d\d:\d\d The Corner$")
    )


def test_the_name_is_the_largest_text(page: Page, reader: TapSource) -> None:
    reader.tap(UIDS["ana"])
    expect(page.locator(".name")).to_be_visible()
    sizes = page.locator(".till *").evaluate_all(
        "all => all.map(e => [parseFloat(getComputedStyle(e).fontSize), !!e.closest('.name')])"
    )
    largest = max(size for size, _ in sizes)
    assert {is_name for size, is_name in sizes if size == largest} == {True}


@pytest.mark.parametrize("viewport", [PHONE, TILL], ids=["phone", "till"])
def test_a_blocked_card_is_unmistakable(
    chain: Chain, reader: TapSource, open_page: Open, viewport: dict[str, int]
) -> None:
    page = open_page(chain.cashier, viewport=viewport)
    reader.tap(UIDS["boris"])
    bar = page.locator(".verdict")
    expect(bar).to_contain_text("Card blocked Do not accept this card. Please call the manager.")
    expect(bar.locator("svg")).to_be_visible()
    # The board of an earlier tap may just be giving way to this one: it has no box then.
    expect(bar).to_have_css("background-color", re.compile("rgb"))
    box = bar.bounding_box() or bar.bounding_box()
    assert box
    assert (box["x"], box["width"]) == (0, viewport["width"])
    assert box["height"] > 100
    assert box["y"] < 200
    red, green, blue = colour_of(page, ".verdict")
    assert red > 2 * max(green, blue)
    expect(page.locator(".name")).to_have_text("Борис Орлов")
    expect(page.locator(".balance")).to_have_text("0 stamps")


def colour_of(page: Page, selector: str) -> tuple[int, int, int]:
    text = page.locator(selector).evaluate("e => getComputedStyle(e).backgroundColor")
    red, green, blue = (int(part) for part in text.removeprefix("rgb(").rstrip(")").split(","))
    return red, green, blue


def test_a_phone_with_a_random_number_says_what_to_do(page: Page, reader: TapSource) -> None:
    reader.tap(UIDS["phone"])
    expect(page.locator(".verdict")).to_contain_text(
        "This phone cannot be recognised It shows a new number each time."
    )
    expect(page.locator("form.enrol")).to_have_count(0)


def test_an_unknown_card_is_enrolled_by_keyboard_and_found_at_the_next_tap(
    page: Page, reader: TapSource, new_uid: str
) -> None:
    tap_new(page, reader, new_uid)
    expect(page.get_by_label("Name")).to_be_focused()
    page.keyboard.type("Nora Dema")
    page.keyboard.press("Tab")
    page.keyboard.press("ArrowRight")
    expect(page.get_by_label("Shqip")).to_be_checked()
    page.keyboard.press("Enter")
    expect(page.locator(".verdict")).to_contain_text("Enrolled Hold the card to the reader once")
    expect(page.locator(".name")).to_have_text("Nora Dema")
    expect(page.locator(".balance")).to_have_text("0 stamps")
    expect(page.locator("form.enrol")).to_have_count(0)
    reader.tap(new_uid)
    expect(page.locator(".verdict")).to_contain_text("Visit counted")
    expect(page.locator(".name")).to_have_text("Nora Dema")
    expect(page.locator(".balance")).to_have_text("1 stamp")
    expect(page.locator(".visits")).to_contain_text("This is the first one.")
    expect(page.locator(".facts")).to_contain_text("Shqip")
    said = "Visit counted. Nora Dema. 1 stamp. +1 stamp"
    expect(page.locator("[data-announce]")).to_have_text(said)


def test_an_empty_name_is_asked_for_again(page: Page, reader: TapSource, new_uid: str) -> None:
    tap_new(page, reader, new_uid)
    page.get_by_label("Ελληνικά").check(force=True)
    page.get_by_role("button", name="Enrol").click()
    expect(page.get_by_role("alert").filter(visible=True)).to_have_text("Please write the name.")
    expect(page.get_by_label("Name")).to_be_focused()
    expect(page.get_by_label("Ελληνικά")).to_be_checked()
    page.keyboard.type("Μαρία")
    page.keyboard.press("Enter")
    expect(page.locator(".name")).to_have_text("Μαρία")


def test_what_was_typed_survives_the_next_taps(page: Page, reader: TapSource, new_uid: str) -> None:
    tap_new(page, reader, new_uid)
    page.get_by_label("Name").fill("Nor")
    reader.tap(UIDS["ana"])
    expect(page.locator(".name")).to_have_text("Ana Hoxha")
    expect(page.get_by_label("Name")).to_have_value("Nor")
    expect(page.locator("[data-kept]")).to_be_hidden()
    other_uid = new_uid[:-1] + "1"
    reader.tap(other_uid)
    expect(page.locator(".verdict")).to_contain_text(other_uid)
    expect(page.get_by_label("Name")).to_have_value("Nor")
    expect(page.locator("form.enrol h2")).to_contain_text(new_uid)
    expect(page.locator("[data-kept]")).to_contain_text("Another card was tapped meanwhile.")
    page.get_by_role("button", name="Discard").click()
    expect(page.locator("form.enrol h2")).to_contain_text(other_uid)
    expect(page.get_by_label("Name")).to_have_value("")


def test_enrolling_goes_on_while_the_next_member_is_served(
    page: Page, reader: TapSource, new_uid: str
) -> None:
    tap_new(page, reader, new_uid)
    page.get_by_label("Name").fill("Nora")
    reader.tap(UIDS["ana"])
    expect(page.locator(".name")).to_have_text("Ana Hoxha")
    page.get_by_role("button", name="Enrol").click()
    expect(page.locator("[data-enrol]")).to_have_text(
        "Nora is enrolled. Hold that card to the reader once more, and the visit counts."
    )
    expect(page.locator(".name")).to_have_text("Ana Hoxha")
    reader.tap(new_uid)
    expect(page.locator(".name")).to_have_text("Nora")


def test_a_form_nobody_touched_makes_way(page: Page, reader: TapSource, new_uid: str) -> None:
    tap_new(page, reader, new_uid)
    reader.tap(UIDS["ana"])
    expect(page.locator("form.enrol")).to_have_count(0)


def test_two_screens_of_a_till_show_the_same(
    chain: Chain, page: Page, reader: TapSource, new_uid: str, open_page: Open
) -> None:
    other = open_page(chain.cashier)
    expect(other.locator(".link")).to_have_text("Ready")
    tap_new(page, reader, new_uid)
    expect(other.locator("form.enrol h2")).to_contain_text(new_uid)
    page.get_by_label("Name").fill("Nora")
    page.get_by_role("button", name="Enrol").click()
    for screen in (page, other):
        expect(screen.locator(".name")).to_have_text("Nora")
        expect(screen.locator("form.enrol")).to_have_count(0)


def test_a_page_opened_after_the_tap_shows_it(
    chain: Chain, reader: TapSource, open_page: Open, page: Page
) -> None:
    reader.tap(UIDS["ana"])
    expect(page.locator(".name")).to_have_text("Ana Hoxha")
    late = open_page(chain.cashier, java_script_enabled=False)
    expect(late.locator(".name")).to_have_text("Ana Hoxha")


def test_a_reader_that_is_off_line_is_told(page: Page, reader: TapSource) -> None:
    reader.publish("state", contract.State("lost", BOOT), retain=True)
    expect(page.locator(".link")).to_contain_text("The reader is off line.")
    reader.publish("state", contract.State("online", BOOT), retain=True)
    expect(page.locator(".link")).to_have_text("Ready")


def test_without_a_broker_the_page_says_so_and_catches_up(
    chain: Chain, page: Page, reader: TapSource
) -> None:
    chain.broker.stop()
    expect(page.locator(".link")).to_contain_text("No connection to the readers.")
    chain.broker.start()
    reader.connect()
    reader.tap(UIDS["ana"])
    expect(page.locator(".name")).to_have_text("Ana Hoxha", timeout=15_000)
    expect(page.locator(".link")).to_have_text("Ready")


def test_without_the_site_the_page_says_so_keeps_what_was_typed_and_catches_up(
    chain: Chain, page: Page, reader: TapSource, new_uid: str
) -> None:
    tap_new(page, reader, new_uid)
    page.get_by_label("Name").fill("Nora")
    chain.site.kill()
    expect(page.locator(".link")).to_contain_text("This page has lost its connection")
    page.get_by_role("button", name="Enrol").click()
    expect(page.locator("[data-failed]")).to_contain_text("Please try again.")
    reader.tap(UIDS["eleni"])
    chain.restart_site()
    expect(page.locator(".name")).to_have_text("Ελένη Παππά", timeout=15_000)
    expect(page.locator(".link")).to_have_text("Ready")
    expect(page.get_by_label("Name")).to_have_value("Nora")
    page.get_by_role("button", name="Enrol").click()
    expect(page.locator("[data-enrol]")).to_contain_text("Nora is enrolled.")
