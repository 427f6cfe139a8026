"""The bridge's connection: whose thread uses it when, what is an outage and what is a fault."""

from __future__ import annotations

import asyncio
import sqlite3
import threading
import time
from collections.abc import AsyncIterator
from contextlib import closing
from pathlib import Path

import psycopg
import pytest

from besnik.config import ConfigError
from besnik.store import access
from besnik.store.access import StoreAccess, StoreUnavailableError
from besnik.store.database import is_sqlite
from besnik.store.hot import HotStore, KnownReader
from support.broker import free_port
from support.database import prepare
from support.store import settings_for


@pytest.fixture
async def thread(database_url: str) -> AsyncIterator[StoreAccess]:
    store = StoreAccess(settings_for(database_url))
    yield store
    await store.aclose()


def counter(hot: HotStore) -> dict[str, KnownReader]:
    return hot.readers(["counter-1"])


def place(_hot: HotStore) -> threading.Thread:
    return threading.current_thread()


async def test_what_waits_is_done_on_one_other_thread(
    thread: StoreAccess, database_url: str
) -> None:
    """All of PostgreSQL waits; SQLite while it is opened."""
    first, *others = [await thread.call(place) for _ in range(3)]
    assert first is not threading.current_thread()
    here = threading.current_thread() if is_sqlite(database_url) else first
    assert set(others) == {here}


@pytest.fixture
async def sqlite_access(tmp_path: Path, environment: dict[str, str]) -> AsyncIterator[StoreAccess]:
    """A store that is open already."""
    url = f"sqlite:///{tmp_path}/shop.sqlite3"
    await asyncio.to_thread(prepare, url, environment)
    store = StoreAccess(settings_for(url))
    await store.call(counter)
    yield store
    await store.aclose()


async def test_who_meets_somebody_who_writes_waits_beside_the_loop(
    sqlite_access: StoreAccess, tmp_path: Path
) -> None:
    tried = []

    def record(hot: HotStore) -> None:
        tried.append(threading.current_thread())
        hot.record([])

    with closing(sqlite3.connect(tmp_path / "shop.sqlite3", isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        waiting = asyncio.ensure_future(sqlite_access.call(record))
        began_s = time.monotonic()
        await asyncio.sleep(0.05)
        assert time.monotonic() - began_s < 0.5
        assert not waiting.done()
        # One piece at a time: the next waits behind it, beside the loop as well.
        after = asyncio.ensure_future(sqlite_access.call(place))
        await asyncio.sleep(0.01)
        assert not after.done()
        other.rollback()
        await waiting
    here = threading.current_thread()
    assert tried == [here, await after]
    assert tried[1] is not here
    assert await sqlite_access.call(place) is here


async def test_after_a_long_piece_of_work_all_is_done_beside_for_a_while(
    sqlite_access: StoreAccess, monkeypatch: pytest.MonkeyPatch
) -> None:
    here = threading.current_thread()
    monkeypatch.setattr(access, "_LONG_S", 0.02)
    monkeypatch.setattr(access, "_APART_S", 0.1)
    assert await sqlite_access.call(place) is here
    await sqlite_access.call(lambda _hot: time.sleep(0.03))
    assert await sqlite_access.call(place) is not here
    await asyncio.sleep(0.11)
    assert await sqlite_access.call(place) is here


async def test_what_broke_on_the_loop_is_closed_beside_it(sqlite_access: StoreAccess) -> None:
    """The last to close a file copies its log, on a disk that is in trouble."""
    closed = []

    def lose(hot: HotStore) -> None:
        close = hot.close

        def closing() -> None:
            closed.append(threading.current_thread())
            close()

        hot.close = closing  # type: ignore[method-assign]  # it does as it did
        raise sqlite3.OperationalError("disk I/O error")

    with pytest.raises(StoreUnavailableError):
        await sqlite_access.call(lose)
    # The next piece opens it anew, behind that.
    opener = await sqlite_access.call(place)
    assert closed == [opener]
    assert opener is not threading.current_thread()
    assert await sqlite_access.call(place) is threading.current_thread()


async def test_how_long_the_loop_has_been_in_it_is_seen_from_outside(
    sqlite_access: StoreAccess,
) -> None:
    seen: list[float] = []
    looking = threading.Timer(0.1, lambda: seen.append(sqlite_access.busy_here_s))
    looking.start()
    await sqlite_access.call(lambda _hot: time.sleep(0.2))
    looking.join()
    assert 0.05 < seen[0] < 0.15
    assert sqlite_access.busy_here_s == 0.0


async def test_a_fault_of_the_work_passes_and_the_connection_stays(thread: StoreAccess) -> None:
    stores = []

    def fail(hot: HotStore) -> None:
        stores.append(hot)
        raise KeyError("x")

    with pytest.raises(KeyError):
        await thread.call(fail)
    await thread.call(stores.append)
    assert stores[0] is stores[1]


async def test_after_an_outage_a_new_connection_is_opened(
    thread: StoreAccess, database_url: str
) -> None:
    stores = []

    def lose(hot: HotStore) -> None:
        stores.append(hot)
        if is_sqlite(database_url):
            raise sqlite3.OperationalError("disk I/O error")
        raise psycopg.OperationalError("server closed the connection unexpectedly\nmore")

    with pytest.raises(StoreUnavailableError, match=r"^(disk I/O error|server closed[^\n]*)\Z"):
        await thread.call(lose)
    assert (await thread.call(counter)).keys() == {"counter-1"}
    await thread.call(stores.append)
    assert stores[0] is not stores[1]


async def test_a_database_that_cannot_be_reached_is_away(tmp_path: Path) -> None:
    urls = [f"sqlite:///{tmp_path}", f"postgres://u:secret@127.0.0.1:{free_port()}/besnik"]
    for url in urls:
        store = StoreAccess(settings_for(url))
        with pytest.raises(StoreUnavailableError) as caught:
            await store.call(counter)
        assert "secret" not in str(caught.value)
        await store.aclose()


async def test_a_database_without_tables_is_away_until_it_has_them(
    tmp_path: Path, environment: dict[str, str]
) -> None:
    url = f"sqlite:///{tmp_path}/new.sqlite3"
    store = StoreAccess(settings_for(url))
    with pytest.raises(StoreUnavailableError, match="no such table"):
        await store.call(counter)
    await asyncio.to_thread(prepare, url, environment)
    assert (await store.call(counter)).keys() == {"counter-1"}
    await store.aclose()


async def test_a_file_that_is_no_database_is_away(tmp_path: Path) -> None:
    file = tmp_path / "shop.sqlite3"
    file.write_text("not a database, " * 100)
    store = StoreAccess(settings_for(f"sqlite:///{file}"))
    with pytest.raises(StoreUnavailableError, match="not a database"):
        await store.call(counter)
    await store.aclose()


async def test_a_url_that_can_never_work_is_not_an_outage() -> None:
    store = StoreAccess(settings_for("sqlite:///:memory:"))
    with pytest.raises(ConfigError):
        await store.call(counter)
    await store.aclose()
