"""A real Chromium and the chain behind its pages."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect, sync_playwright

from browser.chain import Chain, Desk, TapSource
from support.broker import RunningBroker
from support.counter import Counter
from support.processes import Processes

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
ARGUMENTS = [
    "--no-sandbox",
    "--disable-dev-shm-usage",
    "--disable-gpu",
    "--autoplay-policy=user-gesture-required",
]
PHONE = {"width": 360, "height": 740}
TILL = {"width": 1024, "height": 768}

expect.set_options(timeout=5_000)


# Not for the session: while it lives, playwright's loop runs in the thread of every later test.
@pytest.fixture(scope="package")
def chromium() -> Iterator[Browser]:
    """The browser; without one on this machine its tests are skipped."""
    found = next(filter(None, map(shutil.which, NAMES)), None)
    if found is None:
        pytest.skip(f"no Chromium on this machine (looked for {', '.join(NAMES)})")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=found, args=ARGUMENTS)
        yield browser
        browser.close()


@pytest.fixture
def chain(
    chromium: Browser, state: Path, processes: Processes, broker: RunningBroker, database_url: str
) -> Chain:
    """Broker, bridge and site with the demo shop."""
    return Chain(state, processes, broker, database_url)


@pytest.fixture
def reader(chain: Chain, broker: RunningBroker) -> Iterator[TapSource]:
    """Publishes taps as the demo reader."""
    source = TapSource(broker)
    yield source
    source.close()


@pytest.fixture
def desk(
    chain: Chain, state: Path, processes: Processes, broker: RunningBroker, root: Path
) -> Desk:
    """The virtual counter with the real firmware on it."""
    return Desk(Counter(state, processes, broker, root))


Open = Callable[..., Page]


@pytest.fixture
def complaints() -> list[str]:
    """What pages wrote on their consoles or asked of others; a test removes what it expects."""
    return []


@pytest.fixture
def open_page(chromium: Browser, chain: Chain, complaints: list[str]) -> Iterator[Open]:
    """Opens pages; at the end no page may have complained or asked for anything foreign."""
    contexts: list[BrowserContext] = []

    def opened(url: str, **options: Any) -> Page:
        options.setdefault("viewport", TILL)
        options.setdefault("locale", "en")
        context = chromium.new_context(**options)
        contexts.append(context)
        page = context.new_page()
        page.on("pageerror", lambda error: complaints.append(f"{error}"))
        page.on("console", lambda line: _note(complaints, line))
        page.on("request", lambda asked: _note_foreign(complaints, asked.url, chain))
        page.goto(url)
        return page

    yield opened
    for context in contexts:
        context.close()
    assert complaints == []


def _note(complaints: list[str], line: Any) -> None:
    # A server that is away is part of some tests; Chromium reports it and nothing can stop it.
    if line.type in ("error", "warning") and "net::ERR_" not in line.text:
        complaints.append(line.text)


def _note_foreign(complaints: list[str], url: str, chain: Chain) -> None:
    if not url.startswith((chain.url(), "blob:")):
        complaints.append(f"foreign request: {url}")
