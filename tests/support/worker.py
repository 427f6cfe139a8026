"""The worker process between Besnik and a CRM, and what that CRM was told."""

from __future__ import annotations

import sys

from support.bridge import BridgeRunner
from support.crm_reckoning import visits
from support.paper_crm import PaperServer
from support.processes import Processes, Running, wait_until

CARD = "04DEADBEEF1280"  # whose customer is in the CRM alone


class Workers:
    """Starts ``besnik crm run`` as often as a test likes."""

    def __init__(self, processes: Processes, bridges: BridgeRunner, paper: PaperServer) -> None:
        self._processes = processes
        self._environment = {**paper.environment, "BESNIK_CONFIG": str(bridges.settings_file)}

    def start(self) -> Running:
        return self._processes.start(
            "crm",
            [sys.executable, "-m", "besnik.cli", "crm", "run"],
            environment=self._environment,
            ready="crm: ready",
        )


def delivered(paper: PaperServer, count: int) -> list[tuple[str, str, int]]:
    """Return the events that the CRM has written down when it has as many as that."""
    wait_until(lambda: len(visits(paper)) >= count, f"{count} events in the CRM", 30)
    return visits(paper)
