"""The owner's page of updates, live, and the page of one reader: at every size, both directions."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest
from playwright.sync_api import Page, expect

from besnik import contract, demo
from browser.chain import Chain, TapSource, add_readers
from browser.conftest import Open
from browser.test_looks import english, look_all_ways
from support.orm import models_on


def in_store(chain: Chain, work: Callable[[], None]) -> None:
    """Do work on the shop's database; Playwright's loop leaves this thread to no one else."""

    def done() -> None:
        with models_on(chain.database_url):
            work()

    with ThreadPoolExecutor(1) as thread:
        thread.submit(done).result()


def prepare() -> None:
    """Have release 7 here and nothing rolled out, and a day in which every reader spoke."""
    from besnik.store import rollouts
    from besnik.store.models import Reader, ReaderHour, Rollout

    now = dt.datetime.now(dt.UTC)
    Rollout.objects.all().delete()
    ReaderHour.objects.all().delete()
    rollouts.know([rollouts.Found(7, "1.2.0", "esp32", "6.3", 90_000)], now)
    hour = now.replace(minute=0, second=0, microsecond=0)
    ReaderHour.objects.bulk_create(
        ReaderHour(
            reader=reader, hour=hour - dt.timedelta(hours=ago_h), said=60,
            rssi_sum_dbm=-60 * (58 + ago_h), rssi_min_dbm=-90, verdict_max_ms=40, dropped=0,
            reconnects=ago_h % 3, rc522_recoveries=0, restarts=0,
        )
        for reader in Reader.objects.all() for ago_h in range(30)
    )  # fmt: skip


def heard(state: str, why: str = "", percent: int = 0) -> Callable[[], None]:
    """Return the work of writing what the demo's reader says of release 7."""

    def write() -> None:
        from besnik.store import rollouts

        said = contract.UpdateState(n=7, s=state, why=why, p=percent)  # type: ignore[arg-type]  # text
        rollouts.heard(demo.SHOP, demo.READER, said, dt.datetime.now(dt.UTC))

    return write


@pytest.fixture
def page(chain: Chain, reader: TapSource, open_page: Open) -> Page:
    """The page of updates, with a release to give and readers in every state."""
    add_readers(chain.database_url)
    in_store(chain, prepare)
    opened = open_page(chain.url("readers/updates/"))
    expect(opened.locator(".updates > .link")).to_have_text("Up to date")
    return opened


def test_a_release_is_given_watched_and_stops_by_itself(chain: Chain, page: Page) -> None:
    page.get_by_label("First to this reader").select_option(demo.READER)
    page.get_by_role("button", name="Begin").click()
    course = page.locator(".course")
    expect(course).to_contain_text("It is being tried on the first reader.")
    expect(page.locator(".updates > .link")).to_have_text("Up to date")
    page.evaluate("() => { window.stays = true; }")
    in_store(chain, heard("loading", percent=40))
    expect(course).to_contain_text("loads it (40%)")
    in_store(chain, heard("rolled_back", "rc522"))
    expect(course.get_by_role("alert")).to_contain_text("went back to the release it had before")
    expect(course.get_by_role("button")).to_have_count(0)
    assert page.evaluate("() => window.stays") is True


def test_the_buttons_of_a_rollout_work(page: Page) -> None:
    page.get_by_role("button", name="Begin").click()
    page.get_by_role("button", name="Stop it").click()
    expect(page.locator(".course")).to_contain_text("Somebody stopped it.")
    page.get_by_role("button", name="Go on").click()
    expect(page.locator(".course")).to_contain_text("On its way")


@pytest.mark.parametrize("language", ["en", "fa"])
def test_the_pages_look_right(
    chain: Chain, page: Page, open_page: Open, reader: TapSource, language: str
) -> None:
    page.get_by_role("button", name="Begin").click()
    expect(page.locator(".course")).to_have_count(1)
    in_store(chain, heard("loading", percent=40))
    reader.tap("5B3C2A19")
    texts = []
    for path in ("readers/updates/", f"readers/at/{demo.READER}/", "readers/"):
        shown = open_page(chain.url(path), locale=language)
        if path != f"readers/at/{demo.READER}/":
            expect(shown.locator(".link").first).to_have_attribute("data-link", "live")
        texts += look_all_ways(shown)
    if language != "en":
        assert {found["text"] for found in texts} & english() == set()
