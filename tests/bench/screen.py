"""Tap to the cashier's screen, in the browser, with 100,000 members and 1,000,000 entries.

A reader publishes a tap of a member's card; the clock stops when the frame is painted in which the
board of Chromium names the next member. Broker, bridge (SQLite, an fsync before each answer) and
site are the real ones, each in a process of its own, on the same machine as the browser.
"""

from __future__ import annotations

import itertools
import shutil
import statistics
import tempfile
import time
from contextlib import contextmanager
from pathlib import Path

from bigshop import MEMBERS, build
from figures import Figure, at_most
from parts import ROOT, environment
from playwright.sync_api import sync_playwright

from besnik import broker as besnik_broker
from browser.chain import Chain, House, TapSource
from browser.conftest import ARGUMENTS, NAMES
from support.broker import RunningBroker
from support.database import prepare
from support.login import COOKIE
from support.orm import models_on
from support.processes import Processes

TITLE = "Tap to the cashier's screen"
TAPS = 200
_P95_MS, _P99_MS = 500, 1000
# When each board was on the screen: after the frame that shows it, by the machine's clock.
RECORD = """
() => {
  window.shown = [];
  new MutationObserver(() => requestAnimationFrame(() => setTimeout(() => {
    window.shown.push(performance.timeOrigin + performance.now());
  }))).observe(document.querySelector("[data-board]"), { childList: true });
}
"""


def measure() -> list[Figure]:
    """Tap one member after the other and wait for each on the screen."""
    with _chain() as chain:
        took_ms = _taps(chain)
    percentiles = statistics.quantiles(took_ms, n=100)
    return [
        Figure("tap to screen, p50", f"{statistics.median(took_ms):.0f} ms"),
        at_most("tap to screen, p95", percentiles[94], _P95_MS, "ms", 0),
        at_most("tap to screen, p99", percentiles[98], _P99_MS, "ms", 0),
    ]


def _taps(chain: Chain) -> list[float]:
    source = TapSource(chain.broker)
    chromium = next(filter(None, map(shutil.which, NAMES)))
    took_ms: list[float] = []
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=ARGUMENTS)
        context = browser.new_context(locale="en")
        session = chain.session_key("cashier")
        context.add_cookies([{"name": COOKIE, "value": session, "url": chain.url()}])
        page = context.new_page()
        page.goto(chain.cashier)
        page.locator(".link[data-link=live]").wait_for()
        page.evaluate(RECORD)
        for number in itertools.islice(itertools.count(7, MEMBERS // TAPS), TAPS + 1):
            shown = page.evaluate("() => window.shown.length")
            began = time.time() * 1000
            source.tap(f"04{number:012X}")
            page.wait_for_function("count => window.shown.length > count", arg=shown)
            took_ms.append(page.evaluate("() => window.shown.at(-1)") - began)
            page.wait_for_timeout(100)
        browser.close()
    source.close()
    return took_ms[1:]  # the first one compiles the templates


@contextmanager
def _chain():  # type: ignore[no-untyped-def]  # a generator of one chain
    folder = Path(tempfile.mkdtemp(prefix="besnik-"))
    (folder / "logs").mkdir()
    processes = Processes(folder / "logs", environment())
    try:
        url = f"sqlite:///{folder}/besnik.sqlite3"
        prepare(url, environment())
        with models_on(url):
            build(url)
        broker = RunningBroker(
            besnik_broker.find(ROOT / ".besnik/cache"), folder / "broker", processes
        )
        broker.start()
        yield Chain(House(folder, processes), broker, url)
    finally:
        processes.end()
        shutil.rmtree(folder)
