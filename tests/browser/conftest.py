"""A real Chromium and the chain behind its pages."""

from __future__ import annotations

import secrets
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect, sync_playwright

from besnik import demo
from besnik.broker import Mosquitto
from browser.chain import Chain, Desk, House, TapSource
from support.broker import RunningBroker
from support.counter import Counter
from support.database import Databases
from support.login import COOKIE
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

expect.set_options(timeout=10_000)


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


@pytest.fixture(scope="package")
def house(environment: dict[str, str]) -> Iterator[House]:
    """The folder and the processes that all tests of the pages share."""
    folder = Path(tempfile.mkdtemp(prefix="besnik-"))
    (folder / "logs").mkdir()
    processes = Processes(folder / "logs", environment)
    yield House(folder, processes)
    processes.end()
    shutil.rmtree(folder)


@pytest.fixture(scope="package")
def chain(
    chromium: Browser,
    house: House,
    mosquitto: Mosquitto,
    prepared_databases: Databases,
) -> Iterator[Chain]:
    """Broker, bridge and site with the demo shop, the same ones for every test."""
    broker = RunningBroker(mosquitto, house.folder / "broker", house.processes)
    broker.start()
    with contextmanager(prepared_databases.copy)(house.folder) as database_url:
        yield Chain(house, broker, database_url)


@pytest.fixture(scope="package")
def reader(chain: Chain) -> Iterator[TapSource]:
    """Publishes taps as the demo reader."""
    source = TapSource(chain.broker)
    yield source
    source.close()


@pytest.fixture(scope="package")
def desk(chain: Chain, house: House, root: Path) -> Desk:
    """The virtual counter with the real firmware on it; its reader stays switched on."""
    return Desk(Counter(house.folder, house.processes, chain.broker, root))


@pytest.fixture
def new_uid() -> str:
    """The number of a card that nobody has tapped before."""
    return f"04{secrets.randbits(40):010X}80"


Open = Callable[..., Page]


@pytest.fixture
def complaints() -> list[str]:
    """What pages wrote on their consoles or asked of others; a test removes what it expects."""
    return []


@pytest.fixture(scope="package")
def keys(chain: Chain) -> dict[str, str]:
    """The session of each role's person, logged in once for all tests."""
    return {person.role: chain.session_key(person.role) for person in demo.STAFF}


@pytest.fixture
def open_page(
    chromium: Browser, chain: Chain, complaints: list[str], keys: dict[str, str]
) -> Iterator[Open]:
    """Opens pages, by default as the owner; ``role`` names another one, "" nobody.

    At the end no page may have complained or asked for anything foreign.
    """
    contexts: list[BrowserContext] = []

    def opened(url: str, *, role: str = "owner", **options: Any) -> Page:
        options.setdefault("viewport", TILL)
        options.setdefault("locale", "en")
        context = chromium.new_context(**options)
        contexts.append(context)
        if role:
            cookie = {"name": COOKIE, "value": keys[role], "domain": "127.0.0.1", "path": "/"}
            context.add_cookies([{**cookie, "httpOnly": True, "sameSite": "Lax"}])
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


@pytest.fixture
def page(chain: Chain, reader: TapSource, open_page: Open) -> Page:
    """The till's screen, connected."""
    opened = open_page(chain.cashier)
    expect(opened.locator(".link")).to_have_text("Ready")
    return opened


def _note(complaints: list[str], line: Any) -> None:
    # A server that is away is part of some tests; Chromium reports it and nothing can stop it.
    if line.type in ("error", "warning") and "net::ERR_" not in line.text:
        complaints.append(line.text)


def _note_foreign(complaints: list[str], url: str, chain: Chain) -> None:
    if not url.startswith((chain.url(), "blob:")):
        complaints.append(f"foreign request: {url}")
