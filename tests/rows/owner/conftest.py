"""The owner's pages as somebody of a program opens them, as late as it is at the tills."""

from __future__ import annotations

import asyncio
import csv
import datetime as dt
import html
import io
import itertools
import re
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.http import HttpResponse
from django.test import Client
from django.utils import timezone

from support.pos import Clock, Pos

_TAGS = re.compile(r"<(?:script|style)\b.*?</(?:script|style)>|<[^>]+>", re.DOTALL)
_UNSEEN = re.compile("[\u200e\u200f\u2066-\u2069]")
_numbers = itertools.count(1)


def words(answer: HttpResponse) -> str:
    """Return the words of a page, as they are read."""
    text = html.unescape(_TAGS.sub(" ", answer.content.decode()))
    return " ".join(_UNSEEN.sub("", text).replace("\u00a0", " ").split())


class Office:
    """A browser in which somebody of a program's staff is logged in."""

    def __init__(self, program: int, role: str = "owner") -> None:
        from besnik.store.models import Staff

        self.program = program
        name = f"office-{next(_numbers)}"
        self.staff = Staff.objects.create_user(
            name, None, program_id=program, name="Olga", role=role
        )
        self.client = Client(HTTP_HOST="localhost")

    def get(self, page: str, status: int = 200, **query: Any) -> HttpResponse:
        """Open a page under /owner/."""
        self.client.force_login(self.staff)
        answer = self.client.get(f"/owner/{page}", query)
        assert answer.status_code == status, words(answer)
        return answer

    def read(self, page: str, **query: Any) -> str:
        """Return the words of a page under /owner/."""
        return words(self.get(page, **query))

    def post(self, page: str, status: int = 302, **fields: Any) -> HttpResponse:
        """Send a form of a page under /owner/."""
        self.client.force_login(self.staff)
        answer = self.client.post(f"/owner/{page}", fields)
        assert answer.status_code == status, words(answer)
        return answer

    def publish(self) -> None:
        """Publish the draft."""
        self.post("program/publish")

    def sheet(self, page: str, **query: Any) -> list[dict[str, str]]:
        """Return the rows of a sheet under /owner/ by the names of its columns."""
        self.client.force_login(self.staff)
        answer = self.client.get(f"/owner/{page}", query)
        assert answer.headers["Content-Type"] == "text/csv; charset=utf-8", words(answer)

        async def collect() -> bytes:
            return b"".join([piece async for piece in answer.streaming_content])

        text = asyncio.run(collect()).decode("utf-8-sig")
        return list(csv.DictReader(io.StringIO(text, newline="")))

    def figure(self, key: str, **query: Any) -> dict[str, str]:
        """Return one line of the sheet of figures."""
        rows = self.sheet("figures/figures.csv", **query)
        (line,) = [row for row in rows if row["figure"] == key]
        return line

    def send(self, text: str | bytes, name: str = "members.csv", status: int = 302) -> str:
        """Send a file of members; return the address of what was found, or the words of why not."""
        data = text.encode() if isinstance(text, str) else text
        file = SimpleUploadedFile(name, data, "text/csv")
        answer = self.post("imports/send", status=status, file=file)
        if status != 302:
            return words(answer)
        return answer.headers["Location"].removeprefix("/owner/")


Enter = Callable[..., Office]


@pytest.fixture
def enter(orm: str, clock: Clock, monkeypatch: pytest.MonkeyPatch) -> Iterator[Enter]:
    """Opens the office of a till's program; it is as late there as at the till."""
    monkeypatch.setattr(timezone, "now", lambda: clock.now)

    def opened(pos: Pos, role: str = "owner") -> Office:
        return Office(pos.program, role)

    yield opened


Past = Callable[..., None]


@pytest.fixture
def past(orm: str) -> Past:
    """Writes purchases of long ago, as an installation that ran all the time holds them."""
    from besnik.store.models import Sale

    def write(
        pos: Pos, day: dt.date, amount_minor: int, member: Any = None, buyer: str = ""
    ) -> None:
        at = dt.datetime.combine(day, dt.time(12), dt.UTC)
        Sale.objects.create(
            program_id=pos.program,
            shop=pos.shop,
            receipt=f"P{next(_numbers)}",
            member_id=member,
            buyer=buyer,
            amount_minor=amount_minor,
            at=at,
            created_at=at,
        )

    return write


@pytest.fixture
def people(orm: str) -> Callable[[Pos, int], list[int]]:
    """Makes members of a till's program, and returns their rows."""
    from besnik.store.models import Member

    def made(pos: Pos, count: int) -> list[int]:
        rows = [Member(program_id=pos.program, name="Anna") for _ in range(count)]
        return [member.pk for member in Member.objects.bulk_create(rows)]

    return made
