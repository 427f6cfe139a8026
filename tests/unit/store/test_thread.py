"""The thread that owns the bridge's connection: what is an outage and what is a fault."""

from __future__ import annotations

import asyncio
import sqlite3
import threading
from collections.abc import AsyncIterator
from pathlib import Path

import psycopg
import pytest

from besnik.config import ConfigError
from besnik.store.database import is_sqlite
from besnik.store.hot import HotStore, KnownReader
from besnik.store.thread import StoreThread, StoreUnavailableError
from support.broker import free_port
from support.database import prepare
from support.store import settings_for


@pytest.fixture
async def thread(database_url: str) -> AsyncIterator[StoreThread]:
    store = StoreThread(settings_for(database_url))
    yield store
    await store.aclose()


def counter(hot: HotStore) -> dict[str, KnownReader]:
    return hot.readers(["counter-1"])


async def test_all_work_is_done_on_one_other_thread(thread: StoreThread) -> None:
    names = {await thread.call(lambda _hot: threading.current_thread().name) for _ in range(3)}
    assert len(names) == 1
    assert threading.current_thread().name not in names


async def test_a_fault_of_the_work_passes_and_the_connection_stays(thread: StoreThread) -> None:
    stores = []

    def fail(hot: HotStore) -> None:
        stores.append(hot)
        raise KeyError("x")

    with pytest.raises(KeyError):
        await thread.call(fail)
    await thread.call(stores.append)
    assert stores[0] is stores[1]


async def test_after_an_outage_a_new_connection_is_opened(
    thread: StoreThread, database_url: str
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
        store = StoreThread(settings_for(url))
        with pytest.raises(StoreUnavailableError) as caught:
            await store.call(counter)
        assert "secret" not in str(caught.value)
        await store.aclose()


async def test_a_database_without_tables_is_away_until_it_has_them(
    tmp_path: Path, environment: dict[str, str]
) -> None:
    url = f"sqlite:///{tmp_path}/new.sqlite3"
    store = StoreThread(settings_for(url))
    with pytest.raises(StoreUnavailableError, match="no such table"):
        await store.call(counter)
    await asyncio.to_thread(prepare, url, environment)
    assert (await store.call(counter)).keys() == {"counter-1"}
    await store.aclose()


async def test_a_file_that_is_no_database_is_away(tmp_path: Path) -> None:
    file = tmp_path / "shop.sqlite3"
    file.write_text("not a database, " * 100)
    store = StoreThread(settings_for(f"sqlite:///{file}"))
    with pytest.raises(StoreUnavailableError, match="not a database"):
        await store.call(counter)
    await store.aclose()


async def test_a_url_that_can_never_work_is_not_an_outage() -> None:
    store = StoreThread(settings_for("sqlite:///:memory:"))
    with pytest.raises(ConfigError):
        await store.call(counter)
    await store.aclose()
