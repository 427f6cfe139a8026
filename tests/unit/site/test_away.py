"""Pages while the database is away: told in words, with what to do, and tried again."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest
from django.db import OperationalError
from django.test import Client

from besnik import demo
from besnik.site import streams
from besnik.site.hub import hub
from support.store import without_taps_table

PAGE = f"/cashier/{demo.SHOP}/{demo.TILL}/"


@pytest.mark.parametrize(
    ("language", "text"),
    [
        ("en", "The shop’s records do not answer just now."),
        ("fa", "این صفحه خودش دوباره امتحان می‌کند."),
    ],
)
def test_a_page_that_cannot_be_made_says_so_and_tries_again(
    client: Client, orm: str, language: str, text: str
) -> None:
    client.raise_request_exception = False
    with without_taps_table(orm):
        answer = client.get(PAGE, HTTP_ACCEPT_LANGUAGE=language)
    assert answer.status_code == 503
    page = answer.content.decode()
    assert text in page
    assert 'http-equiv="refresh"' in page
    assert client.get(PAGE).status_code == 200


async def said(lines: AsyncIterator[bytes], count: int) -> list[str]:
    found = []
    async with asyncio.timeout(10):
        async for line in lines:
            found.append(line.decode().replace("\n", " ").strip())
            if len(found) == count:
                break
    return found


async def test_a_stream_vouches_for_what_it_showed_before() -> None:
    with hub.watch(None) as watch:
        lines = streams.live(watch, lambda: [streams.event("board", 1)], lambda: "live", 0.01)
        assert await said(lines, 3) == [
            "event: board data: 1",
            'event: link data: "live"',
            "event: beat data: 0",
        ]


async def test_a_database_that_fails_is_told_until_it_is_back(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(streams, "RETRY_S", 0.02)
    tries = iter([False, False, True])

    def look() -> list[bytes]:
        if not next(tries, True):
            raise OperationalError("locked")
        return [streams.event("board", 1)]

    with hub.watch(None) as watch:
        lines = await said(streams.live(watch, look, lambda: "live", 9), 5)
    assert [line for line in lines if "beat" not in line] == [
        'event: link data: "database"',
        "event: board data: 1",
        'event: link data: "live"',
    ]


async def test_a_database_that_hangs_is_told_within_a_beat_and_the_stream_goes_on(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(streams, "BEAT_S", 0.05)
    answered = asyncio.Event()
    loop = asyncio.get_running_loop()

    def look() -> list[bytes]:
        asyncio.run_coroutine_threadsafe(answered.wait(), loop).result(10)
        return []

    with hub.watch(None) as watch:
        lines = streams.live(watch, look, lambda: "live", 9)
        assert await said(lines, 1) == ['event: link data: "database"']
        answered.set()


async def test_a_page_that_shows_much_rests_between_looks() -> None:
    looks = 0

    def look() -> list[bytes]:
        nonlocal looks
        looks += 1
        return [streams.event("board", looks)]

    with hub.watch(None) as watch:
        lines = streams.live(watch, look, lambda: "live", 9, rest_s=0.3)

        async def listen() -> None:
            async for _ in lines:
                pass

        listening = asyncio.create_task(listen())
        for _ in range(60):
            watch.wake()
            await asyncio.sleep(0.01)
        listening.cancel()
        await asyncio.gather(listening, return_exceptions=True)
    assert 1 <= looks <= 4
