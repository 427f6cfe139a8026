"""The counter page: what one does to cards there, and what the reader's pins say."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import Locator, Page, expect

from browser.chain import Chain, Desk
from browser.conftest import PHONE, Open

# Each change of the light on the page: colour, and the tone's text at that moment.
RECORD = """
() => {
  const device = document.querySelector("[data-device]");
  window.lights = [];
  new MutationObserver(() => {
    window.lights.push([device.dataset.colour, performance.now()]);
  }).observe(device, { attributeFilter: ["data-colour"] });
  window.tones = [];
  const tone = document.querySelector("[data-tone]");
  new MutationObserver(() => window.tones.push(tone.textContent)).observe(tone, {
    childList: true,
  });
}
"""


COLOURS = {(0, 0): "off", (1, 0): "green", (0, 1): "red", (1, 1): "amber"}
GLITCH_MS = 20


@pytest.fixture
def page(chain: Chain, desk: Desk, open_page: Open) -> Page:
    """The demo page, with the reader switched on, connected and at rest."""
    desk.clear()
    return ready(open_page(chain.url("demo/")))


def ready(page: Page) -> Page:
    expect(page.locator(".counter .link")).to_have_attribute("data-link", "live")
    expect(page.locator(".till .link")).to_have_text("Ready", timeout=20_000)
    expect(device(page)).to_have_attribute("data-colour", "off")
    page.evaluate(RECORD)
    return page


def card(page: Page, name: str = "Ana's card") -> Locator:
    return page.get_by_role("button", name=name)


def device(page: Page) -> Locator:
    return page.locator("[data-device]")


def middle(place: Locator) -> tuple[float, float]:
    box = place.bounding_box()
    assert box
    return box["x"] + box["width"] / 2, box["y"] + box["height"] / 2


def seen(lights: list[tuple[str, float]]) -> list[str]:
    """Leave out what lasted too short to be seen: amber's two pins switch one after the other."""
    ends = [at for _, at in lights[1:]] + [float("inf")]
    return [colour for (colour, at), end in zip(lights, ends, strict=True) if end - at > GLITCH_MS]


def expect_accepted(page: Page, name: str = "Ana Hoxha") -> None:
    expect(device(page)).to_have_attribute("data-colour", "green")
    expect(page.locator("[data-light]")).to_have_text("green")
    expect(page.locator(".name")).to_have_text(name)
    expect(page.locator(".signals li").first).to_contain_text("Accepted")


@pytest.mark.parametrize("key", ["Enter", "Space"])
def test_a_card_is_held_and_taken_away_by_keyboard(page: Page, key: str) -> None:
    card(page).press(key)
    expect_accepted(page)
    expect(card(page)).to_have_attribute("aria-pressed", "true")
    expect(card(page)).to_be_focused()
    card(page).press(key)
    expect(card(page)).to_have_attribute("aria-pressed", "false")


def test_what_the_pins_do_is_what_the_page_shows(page: Page, desk: Desk) -> None:
    events = desk.watch(3)
    page.wait_for_timeout(200)
    card(page).press("Enter")
    lights, tones, level = [], [], {"led_green": 0, "led_red": 0}
    for event in events.result():
        if event["ev"] == "pin" and event["role"] in level:
            level[event["role"]] = event["v"]
            lights.append((COLOURS[level["led_green"], level["led_red"]], event["t_us"] / 1000))
        elif event["ev"] == "tone":
            tones.append(f"{event['hz']} Hz" if event["hz"] else "silent")
    page.wait_for_timeout(200)
    shown = seen(page.evaluate("() => window.lights"))
    assert shown == seen(lights)
    assert {"amber", "green", "off"} <= set(shown)
    assert page.evaluate("() => window.tones") == tones
    assert tones == ["2400 Hz", "silent", "2800 Hz", "silent"]


def test_a_blocked_card_shows_red_and_an_unknown_one_both(page: Page) -> None:
    blocked = card(page, "Boris's blocked card")
    blocked.press("Enter")
    expect(device(page)).to_have_attribute("data-colour", "red")
    expect(page.locator(".verdict")).to_contain_text("Card blocked")
    expect(page.locator(".signals li").first).to_contain_text("Rejected")
    blocked.press("Enter")
    expect(blocked).to_have_attribute("aria-pressed", "false")
    card(page, "A new card").press("Enter")
    expect(page.locator(".signals li").first).to_contain_text("Unknown card: ask at the till")
    expect(page.locator("form.enrol")).to_be_visible()


def test_a_phone_s_random_number_is_said_at_the_till(page: Page) -> None:
    card(page, "A phone").press("Enter")
    expect(page.locator(".verdict")).to_contain_text("This phone cannot be recognised")


def test_a_card_is_dragged_by_mouse_stays_and_is_dragged_away(page: Page) -> None:
    slot = middle(card(page))
    page.mouse.move(*slot)
    page.mouse.down()
    page.mouse.move(*middle(device(page)), steps=8)
    expect_accepted(page)
    page.mouse.up()
    expect(card(page)).to_have_attribute("aria-pressed", "true")
    page.wait_for_timeout(300)
    assert abs(middle(card(page))[0] - middle(device(page))[0]) < 5
    page.mouse.move(*middle(card(page)))
    page.mouse.down()
    page.mouse.move(*slot, steps=8)
    page.mouse.up()
    expect(card(page)).to_have_attribute("aria-pressed", "false")


def test_a_card_dropped_beside_the_reader_goes_back(page: Page) -> None:
    slot = middle(card(page))
    page.mouse.move(*slot)
    page.mouse.down()
    page.mouse.move(slot[0] + 40, slot[1] + 120, steps=4)
    page.mouse.up()
    page.wait_for_timeout(300)
    assert middle(card(page)) == pytest.approx(slot, abs=1)
    expect(card(page)).to_have_attribute("aria-pressed", "false")
    expect(page.locator(".signals li")).to_have_count(0)


@pytest.mark.parametrize("language", ["en", "fa"])
def test_a_card_is_dragged_by_finger(
    chain: Chain, desk: Desk, open_page: Open, language: str
) -> None:
    desk.clear()
    page = open_page(chain.url("demo/"), viewport=PHONE, has_touch=True, locale=language)
    expect(page.locator(".till .link")).to_have_attribute("data-link", "live", timeout=20_000)
    expect(device(page)).to_have_attribute("data-colour", "off")
    thing = page.locator("[data-card=ana]")
    session = page.context.new_cdp_session(page)

    def touch(kind: str, at: tuple[float, float] | None = None) -> None:
        points = [{"x": at[0], "y": at[1]}] if at else []
        session.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": points})

    start, goal = middle(thing), middle(device(page))
    touch("touchStart", start)
    for step in range(1, 9):
        touch(
            "touchMove",
            (
                start[0] + (goal[0] - start[0]) * step / 8,
                start[1] + (goal[1] - start[1]) * step / 8,
            ),
        )
        page.wait_for_timeout(20)
    touch("touchEnd")
    expect(thing).to_have_attribute("aria-pressed", "true")
    expect(device(page)).to_have_attribute("data-colour", "green")
    expect(page.locator(".name")).to_have_text("Ana Hoxha")
    assert page.evaluate("() => scrollY") == 0


def test_a_touch_holds_a_card_and_another_takes_it_away(
    chain: Chain, desk: Desk, open_page: Open
) -> None:
    desk.clear()
    page = ready(open_page(chain.url("demo/"), viewport=PHONE, has_touch=True))
    card(page).tap()
    expect(page.locator(".name")).to_have_text("Ana Hoxha")
    card(page).tap()
    expect(card(page)).to_have_attribute("aria-pressed", "false")


def test_several_things_lie_on_the_reader_at_once(page: Page, desk: Desk) -> None:
    for name in ("Ana's card", "Eleni's card"):
        card(page, name).press("Enter")
        expect(card(page, name)).to_have_attribute("aria-pressed", "true")
    page.wait_for_timeout(300)
    places = {middle(card(page, name)) for name in ("Ana's card", "Eleni's card")}
    assert len(places) == 2
    desk.remove("ana")
    expect(card(page)).to_have_attribute("aria-pressed", "false")
    expect(card(page, "Eleni's card")).to_have_attribute("aria-pressed", "true")


def test_every_open_page_shows_the_same_counter(chain: Chain, page: Page, open_page: Open) -> None:
    other = open_page(chain.url("counter/"))
    expect(other.locator(".counter .link")).to_have_text("Reader switched on")
    card(page).press("Enter")
    expect(device(other)).to_have_attribute("data-colour", "green")
    expect(card(other)).to_have_attribute("aria-pressed", "true")


def test_the_sound_is_switched_on_by_a_press(page: Page) -> None:
    page.evaluate(
        """() => {
          const real = OscillatorNode.prototype;
          window.heard = [];
          const set = AudioParam.prototype.setValueAtTime;
          AudioParam.prototype.setValueAtTime = function (value, at) {
            window.heard.push(value);
            return set.call(this, value, at);
          };
        }"""
    )
    switch = page.locator("[data-sound]")
    expect(switch).to_have_text("Switch sound on")
    switch.click()
    expect(switch).to_have_text("Sound is on")
    expect(switch).to_have_attribute("aria-pressed", "true")
    card(page).press("Enter")
    expect_accepted(page)
    assert page.evaluate("() => window.heard") == [2400, 2800]
    switch.click()
    expect(switch).to_have_text("Switch sound on")


def restart_counter(page: Page, desk: Desk, complaints: list[str]) -> None:
    desk.process.kill()
    expect(page.locator(".counter .link")).to_contain_text("The virtual counter is not running.")
    with page.expect_console_message(lambda line: "503" in line.text):
        card(page).press("Enter")
    complaints.clear()
    expect(page.locator(".counter > [data-failed]")).to_contain_text("Please try again.")
    desk.start_counter()


def restart_reader(page: Page, desk: Desk, _complaints: list[str]) -> None:
    desk.reader.kill()
    expect(page.locator(".counter .link")).to_contain_text("The reader is switched off")


@pytest.mark.parametrize("restart", [restart_counter, restart_reader])
def test_the_page_says_what_is_away_and_goes_on_when_it_is_back(
    page: Page,
    desk: Desk,
    complaints: list[str],
    restart: Callable[[Page, Desk, list[str]], None],
) -> None:
    restart(page, desk, complaints)
    desk.reader.kill()
    desk.start_reader()
    expect(page.locator(".counter .link")).to_have_text("Reader switched on", timeout=15_000)
    expect(page.locator(".till .link")).to_have_text("Ready", timeout=20_000)
    card(page, "Eleni's card").press("Enter")
    expect(page.locator(".name")).to_have_text("Ελένη Παππά")
