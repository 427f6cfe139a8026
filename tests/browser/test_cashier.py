"""The cashier's screen, from the tap on."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Page, expect

from besnik import contract, demo
from browser.chain import BOOT, Chain, TapSource
from browser.conftest import PHONE, TILL, Open
from browser.test_looks import MIN_TARGET_PX, TARGETS

UIDS = {card.key: card.uid or "08A1B2C3" for card in demo.CARDS}


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
    expect(page.locator(".visits h2")).to_have_text(re.compile(r"^Last visit today \d\d:\d\d$"))


def test_the_name_is_the_largest_text(page: Page, reader: TapSource) -> None:
    # Whoever was here in the test before gives way to somebody else.
    reader.tap(UIDS["eleni"])
    expect(page.locator(".name")).to_have_text("Ελένη Παππά")
    expect(page.locator(".balance strong")).to_be_visible()
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
    assert box["y"] < viewport["height"] / 3
    red, green, blue = colour_of(page, ".verdict")
    assert red > 2 * max(green, blue)
    expect(page.locator(".name")).to_have_text("Борис Орлов")
    expect(page.locator(".balance")).to_have_text("0 stamps")


def colour_of(page: Page, selector: str) -> tuple[int, int, int]:
    # The board of an earlier tap may just be giving way to this one: it has no colour then.
    asked = f"() => getComputedStyle(document.querySelector({selector!r})).backgroundColor"
    text = page.wait_for_function(asked).json_value()
    red, green, blue = (int(part) for part in text.removeprefix("rgb(").rstrip(")").split(","))
    return red, green, blue


def test_a_phone_with_a_random_number_says_what_to_do(page: Page, reader: TapSource) -> None:
    reader.tap(UIDS["phone"])
    expect(page.locator(".verdict")).to_contain_text(
        "This phone cannot be recognised It shows a new number each time."
    )
    expect(page.locator("form.enrol h2")).to_have_text("Enrol with a printed code")


def enrol(page: Page, reader: TapSource, uid: str, name: str) -> None:
    """Enrol the card that was just tapped: it is held to the reader once more."""
    page.get_by_label("Name").fill(name)
    page.get_by_role("button", name="Enrol").click()
    expect(page.locator("form.enrol")).to_contain_text("Hold the same card to the reader once more")
    reader.tap(uid)


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
    expect(page.locator("form.enrol")).to_contain_text("Hold the same card to the reader once more")
    reader.tap(new_uid)
    expect(page.locator("[data-done]")).to_contain_text("Nora Dema is enrolled.")
    expect(page.locator(".verdict")).to_contain_text("Enrolled Hold the card to the reader once")
    expect(page.locator(".name")).to_have_text("Nora Dema")
    expect(page.locator(".balance")).to_have_text("0 stamps")
    expect(page.locator("form.enrol")).to_have_count(0)
    reader.tap(new_uid)
    expect(page.locator(".verdict")).to_contain_text("Visit counted")
    expect(page.locator(".name")).to_have_text("Nora Dema")
    expect(page.locator(".balance")).to_have_text("1 stamp")
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
    enrol(page, reader, new_uid, "Μαρία")
    expect(page.locator(".name")).to_have_text("Μαρία")


def test_what_was_typed_survives_the_next_taps(page: Page, reader: TapSource, new_uid: str) -> None:
    tap_new(page, reader, new_uid)
    page.get_by_label("Name").fill("Nor")
    reader.tap(UIDS["ana"])
    expect(page.locator("[data-next]")).to_contain_text("Next at the reader: Ana Hoxha")
    expect(page.get_by_label("Name")).to_have_value("Nor")
    other_uid = new_uid[:-1] + "1"
    reader.tap(other_uid)
    expect(page.locator("[data-next]")).to_contain_text("New card")
    expect(page.get_by_label("Name")).to_have_value("Nor")
    expect(page.locator("form.enrol h2")).to_contain_text(new_uid)
    page.get_by_role("button", name="Discard").click()
    expect(page.locator("form.enrol h2")).to_contain_text(other_uid)
    expect(page.get_by_label("Name")).to_have_value("")
    expect(page.locator("[data-next]")).to_be_hidden()


def test_a_finger_on_a_phone_does_it_too(chain: Chain, reader: TapSource, open_page: Open) -> None:
    page = open_page(chain.cashier, viewport=PHONE, has_touch=True, is_mobile=True)
    expect(page.locator(".link")).to_have_text("Ready")
    reader.tap(UIDS["grace"])
    expect(page.locator(".name")).to_have_text("Grace Miller")
    page.get_by_label("Amount").tap()
    page.get_by_label("Amount").fill("4,20")
    page.get_by_role("button", name="Add purchase").tap()
    expect(page.locator("[data-done]")).to_contain_text("€4.20 recorded for Grace Miller")
    page.get_by_role("link", name="Goodwill").tap()
    sheet = page.locator(".panel")
    expect(sheet.get_by_label("How many")).to_have_value("50")
    assert_large_enough(page)
    sheet.get_by_role("button", name="Give it").tap()
    expect(page.locator("[data-done]")).to_contain_text("+50 stamps for Grace Miller")
    page.get_by_role("button", name="Undo").tap()
    expect(page.locator("[data-done]")).to_contain_text("Taken back. -50 stamps")


def assert_large_enough(page: Page) -> None:
    for html, width, height in page.evaluate(TARGETS):
        assert min(width, height) >= MIN_TARGET_PX, (html, width, height)


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
    enrol(page, reader, new_uid, "Nora")
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
    expect(page.locator("[data-next]")).to_contain_text("Ελένη Παππά", timeout=15_000)
    expect(page.locator(".link")).to_have_text("Ready")
    expect(page.get_by_label("Name")).to_have_value("Nora")
    enrol(page, reader, new_uid, "Nora")
    expect(page.locator("[data-done]")).to_contain_text("Nora is enrolled.")
    expect(page.locator(".name")).to_have_text("Nora")
