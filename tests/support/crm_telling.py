"""A worker that tells as often as a test likes, at a time that passes as it likes."""

from __future__ import annotations

import contextlib
import datetime as dt
from collections.abc import AsyncIterator

import pytest
from django.utils import timezone

from besnik.crm import worker as worker_module
from besnik.crm.foreign import CrmError
from besnik.crm.front import Front
from besnik.crm.thread import DatabaseThread
from besnik.crm.worker import Worker
from besnik.store.models import CrmDelivery, CrmSource
from support.paper_crm import PaperCrm
from support.paper_server import KEY


class Telling:
    """``able`` is what its CRM can do, as JSON."""

    def __init__(self, source: CrmSource, database: DatabaseThread, able: str) -> None:
        self.now = timezone.now()
        self.database = database
        crm = PaperCrm.open_crm({**source.settings, "able": able}, {"key": KEY})
        self.front = Front(crm, source, database, now=lambda: self.now)
        self.worker = Worker(source, self.front, database, lambda _settled: None)

    async def rounds(self, count: int, apart_s: float = 31) -> None:
        """Tell so often, half a minute apart."""
        for _ in range(count):
            with contextlib.suppress(CrmError):
                await self.worker.tell()
            self.now += dt.timedelta(seconds=apart_s)

    async def states(self) -> dict[str, str]:
        """Return, by member, what became of their event, as far as it is not written there."""
        rows = CrmDelivery.objects.exclude(state="done").values_list("member__name", "state")
        return await self.database(lambda: dict(rows))


@contextlib.asynccontextmanager
async def telling_to(
    source: CrmSource, monkeypatch: pytest.MonkeyPatch, able: str
) -> AsyncIterator[Telling]:
    """Yield one whose clock stands still until it is moved on."""
    async with DatabaseThread() as database:
        made = Telling(source, database, able)
        monkeypatch.setattr(worker_module, "utc_now", lambda: made.now)
        yield made
        await made.front.aclose()
