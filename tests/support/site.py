"""The real site process beside a test's broker and database."""

from __future__ import annotations

import sys
import urllib.request
from pathlib import Path

from support.broker import RunningBroker, free_port
from support.processes import Processes, Running


class SiteRunner:
    """Starts the site on a port of its own with a bridge's settings, as often as a test likes."""

    def __init__(self, processes: Processes, settings: Path, broker: RunningBroker) -> None:
        self.port = free_port()
        self._processes = processes
        self._settings = settings.with_name("site.toml")
        text = settings.read_text(encoding="utf-8")
        password = f'site_password = "{broker.passwords["site"]}"\n'
        self._settings.write_text(
            text.replace("[broker]\n", f"[broker]\n{password}") + f"[site]\nport = {self.port}\n",
            encoding="utf-8",
        )

    def start(self) -> Running:
        """Start the site; it says ``site: ready`` when it listens."""
        return self._processes.start(
            "site",
            [sys.executable, "-m", "besnik.site"],
            environment={"BESNIK_CONFIG": str(self._settings)},
        )

    def status(self, path: str = "") -> int:
        """Return the HTTP status of a page."""
        address = f"http://127.0.0.1:{self.port}/{path}"
        with urllib.request.urlopen(address, timeout=10) as answer:
            return int(answer.status)
