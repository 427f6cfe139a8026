"""Every page in every language: direction, room, targets, contrast, and nothing left in English."""

from __future__ import annotations

import re
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from besnik import demo
from besnik.site.languages import LANGUAGES
from besnik.site.messages import texts
from browser.chain import Chain, Desk, TapSource
from browser.conftest import PHONE, TILL, Open

CODES = [code for code, _ in LANGUAGES]
VIEWS = {card.key: card.uid or "08A1B2C3" for card in demo.CARDS}
MIN_TARGET_PX = 44
MIN_TEXT_PX = 18
MIN_CONTRAST = 4.5

# Visible texts with their size and their contrast to what is painted behind them (gradients,
# as on the cards of the counter, are left out: their background has no one colour).
TEXTS = """
() => {
  const light = ([r, g, b]) => {
    const f = (c) => (c /= 255) <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4;
    return 0.2126 * f(r) + 0.7152 * f(g) + 0.0722 * f(b);
  };
  const parse = (text) => text.match(/[\\d.]+/g).map(Number);
  const behind = (element) => {
    for (let e = element; e; e = e.parentElement) {
      const style = getComputedStyle(e);
      if (style.backgroundImage !== "none") return null;
      const colour = parse(style.backgroundColor);
      if (colour.length < 4 || colour[3] === 1) return colour;
    }
    return [255, 255, 255];
  };
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  const found = [];
  while (walker.nextNode()) {
    const text = walker.currentNode.textContent.trim();
    const element = walker.currentNode.parentElement;
    if (!text || element.closest(".hidden, .skip, template, noscript, script")) continue;
    if (!element.checkVisibility()) continue;
    const style = getComputedStyle(element);
    const back = behind(element);
    const [a, b] = back ? [light(parse(style.color)), light(back)].sort((x, y) => y - x) : [1, 0];
    found.push({ text, px: parseFloat(style.fontSize), contrast: (a + 0.05) / (b + 0.05) });
  }
  return found;
}
"""
# What makes the page scroll sideways: the innermost elements that reach over its edge.
TOO_WIDE = """
() => {
  const room = document.documentElement.clientWidth;
  if (document.documentElement.scrollWidth <= room) return [];
  return [...document.querySelectorAll("body *")]
    .filter((e) => !e.closest(".hidden, .skip") && e.checkVisibility())
    .filter((e) => ((b) => b.right > room + 0.5 || b.left < -0.5)(e.getBoundingClientRect()))
    .map((e) => e.outerHTML.slice(0, 120));
}
"""
TARGETS = """
() => [...document.querySelectorAll("a, button, summary, input:not([type=hidden])")]
  .filter((e) => e.checkVisibility() && !e.classList.contains("skip"))
  .map((e) => [e.outerHTML.slice(0, 90), e.getBoundingClientRect()])
  .map(([html, box]) => [html, box.width, box.height])
"""


def look(page: Page, *, counter: bool = False) -> list[dict[str, Any]]:
    """Check what holds on every page; return its texts."""
    assert page.evaluate(TOO_WIDE) == [], "reaches over the edge of the screen"
    for html, width, height in page.evaluate(TARGETS):
        assert min(width, height) >= MIN_TARGET_PX, (html, width, height)
    texts: list[dict[str, Any]] = page.evaluate(TEXTS)
    for found in texts:
        assert found["contrast"] >= MIN_CONTRAST, found
        is_number_on_card = counter and re.fullmatch(r"[0-9A-F·\s]+", found["text"])
        assert found["px"] >= MIN_TEXT_PX or is_number_on_card, found
    return texts


def english() -> set[str]:
    """Return the pages' texts in English."""
    ids = {id if isinstance(id, str) else id[0] for (id, _context), _files in texts()}
    return {text for text in ids if "%" not in text}


def look_all_ways(page: Page) -> list[dict[str, Any]]:
    """Check a page on a phone and at a till, by day and by night; return its texts."""
    page.wait_for_timeout(250)  # the board's own animation is over
    texts = []
    for viewport in (PHONE, TILL):
        page.set_viewport_size(viewport)  # type: ignore[arg-type]  # a TypedDict by another name
        for scheme in ("dark", "light"):
            page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
            texts += look(page)
    return texts


@pytest.mark.parametrize("language", CODES)
def test_pages_look_right(
    chain: Chain,
    reader: TapSource,
    open_page: Open,
    complaints: list[str],
    new_uid: str,
    language: str,
) -> None:
    page = open_page(chain.url(), locale=language)
    expect(page.locator("html")).to_have_attribute("lang", language)
    expect(page.locator("html")).to_have_attribute("dir", "rtl" if language == "fa" else "ltr")
    texts = look_all_ways(page)
    page.goto(chain.url("nowhere"))
    texts += look_all_ways(page)
    assert "404" in complaints.pop()
    page.goto(chain.quiet_cashier)
    expect(page.locator(".till .link")).to_have_attribute("data-link", "live")
    texts += look_all_ways(page)
    page.goto(chain.cashier)
    for key, uid in VIEWS.items():
        before = page.locator(".board").get_attribute("data-key") or ""
        reader.tap(new_uid if key == "blank" else uid)
        expect(page.locator(".board")).not_to_have_attribute("data-key", before)
        if key == "blank":
            page.locator("form.enrol button.primary").click()
            expect(page.locator(".wrong").filter(visible=True)).to_be_visible()
        texts += look_all_ways(page)
        if key == "blank":
            page.locator("[data-discard]").click()
    page.locator(".languages:not(.self) summary").click()
    texts += look_all_ways(page)
    if language != "en":
        assert {found["text"] for found in texts} & english() == set()


@pytest.mark.parametrize("language", CODES)
def test_the_counter_looks_right(chain: Chain, desk: Desk, open_page: Open, language: str) -> None:
    desk.clear()
    page = open_page(chain.url("counter/"), locale=language, viewport=PHONE)
    texts: list[dict[str, Any]] = []
    for path in ("counter/", "demo/"):
        page.goto(chain.url(path))
        expect(page.locator(".thing")).to_have_count(len(demo.CARDS))
        expect(page.locator(".counter .link")).to_have_attribute("data-link", "live")
        texts += look(page, counter=True)
    page.locator("[data-card=ana]").press("Enter")
    expect(page.locator(".name")).to_have_text("Ana Hoxha", timeout=15_000)
    texts += look(page, counter=True)
    page.set_viewport_size({"width": 1440, "height": 900})
    texts += look(page, counter=True)
    if language != "en":
        assert {found["text"] for found in texts} & english() == set()


def test_persian_is_the_mirror_of_english(chain: Chain, reader: TapSource, open_page: Open) -> None:
    reader.tap(VIEWS["ana"])
    boxes = {}
    for language in ("en", "fa"):
        page = open_page(chain.cashier, locale=language)
        expect(page.locator(".name")).to_have_text("Ana Hoxha")
        for selector in (".brand", ".verdict .icon", ".balance", ".visits", ".facts"):
            box = page.locator(selector).bounding_box()
            assert box
            boxes[language, selector] = box
    for selector in {selector for _, selector in boxes}:
        english_box, persian = boxes["en", selector], boxes["fa", selector]
        start = TILL["width"] - persian["x"] - persian["width"]
        assert start == pytest.approx(english_box["x"], abs=1), selector


def test_persian_has_its_own_digits_and_its_names_keep_their_direction(
    chain: Chain, reader: TapSource, open_page: Open
) -> None:
    page = open_page(chain.cashier, locale="fa")
    reader.tap(VIEWS["eleni"])
    expect(page.locator(".balance")).to_have_text(re.compile("^[۰-۹]+ مهر$"))
    expect(page.locator(".facts .uid")).to_have_css("direction", "ltr")
    expect(page.locator(".name bdi")).to_have_css("direction", "ltr")
    reader.tap(VIEWS["dariush"])
    expect(page.locator(".name bdi")).to_have_css("direction", "rtl")
    expect(page.locator(".earlier time").first).to_have_text(
        re.compile(r"^امروز [۰-۹]{2}:[۰-۹]{2}$")
    )


def test_the_language_is_switched_on_any_page_and_stays(
    chain: Chain, reader: TapSource, open_page: Open
) -> None:
    page = open_page(chain.quiet_cashier)
    page.locator(".languages:not(.self) summary").click()
    page.get_by_role("button", name="فارسی").click()
    expect(page.locator("html")).to_have_attribute("dir", "rtl")
    expect(page).to_have_url(chain.quiet_cashier)
    expect(page.get_by_role("heading", level=1)).to_have_text("کارت را نزدیک کارت‌خوان بگیرید")
    page.goto(chain.cashier)
    reader.tap(VIEWS["ana"])
    expect(page.locator(".verdict")).to_contain_text("مراجعه به حساب آمد")
    page.goto(chain.url())
    expect(page.locator("html")).to_have_attribute("lang", "fa")


def test_a_menu_closes_by_escape_and_by_a_press_elsewhere(chain: Chain, open_page: Open) -> None:
    page = open_page(chain.quiet_cashier)
    menu = page.locator(".languages:not(.self) form")
    page.locator(".languages:not(.self) summary").press("Enter")
    expect(menu).to_be_visible()
    page.keyboard.press("Escape")
    expect(menu).to_be_hidden()
    expect(page.locator(".languages:not(.self) summary")).to_be_focused()
    page.locator(".languages:not(.self) summary").click()
    expect(menu).to_be_visible()
    page.locator(".waiting h1").click()
    expect(menu).to_be_hidden()
