"""The cashier's page of a site that runs as a process of its own, as a browser fetches it."""

from __future__ import annotations

import urllib.request

from besnik import demo
from support.site import SiteRunner
from support.till_page import text_of


class TillScreen:
    """The demo's till; ``cookie`` is what the cashier's browser has."""

    def __init__(self, site: SiteRunner, cookie: str) -> None:
        self._address = f"http://127.0.0.1:{site.port}/cashier/{demo.SHOP}/{demo.TILL}/"
        self._cookie = cookie

    def text(self) -> str:
        """Return what is to be read."""
        request = urllib.request.Request(self._address, headers={"Cookie": self._cookie})
        with urllib.request.urlopen(request, timeout=10) as answer:
            return text_of(answer.read().decode())
