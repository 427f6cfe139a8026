"""The site as a process: its start, its stop, and what it says when it cannot start."""

from __future__ import annotations

import http.client
import socket
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from besnik import demo
from support.broker import free_port
from support.login import COOKIE, session_key
from support.processes import Processes, Running

EVENTS = f"/cashier/{demo.SHOP}/{demo.TILL}/events"
STOP_S = 2.0

Start = Callable[..., Running]


@pytest.fixture
def port() -> int:
    return free_port()


@pytest.fixture
def start(processes: Processes, state: Path, database_url: str, port: int) -> Start:
    """Starts the site with a broker that is not there."""

    def started(more: str = "", ready: str | None = "site: ready") -> Running:
        file = state / "besnik.toml"
        file.write_text(
            f'state = "{state}"\n[broker]\nport = {free_port()}\n[site]\nport = {port}\n{more}'
        )
        environment = {"BESNIK_CONFIG": str(file), "BESNIK_DATABASE_URL": database_url}
        command = [sys.executable, "-m", "besnik.site"]
        return processes.start("site", command, environment=environment, ready=ready)

    return started


@contextmanager
def asked(port: int, path: str, headers: dict[str, str]) -> Iterator[http.client.HTTPResponse]:
    with closing(http.client.HTTPConnection("127.0.0.1", port, timeout=10)) as connection:
        connection.request("GET", path, headers=headers)
        yield connection.getresponse()


@pytest.fixture
def logged_in(database_url: str, state: Path) -> dict[str, str]:
    """The headers of a browser in which the demo's cashier is logged in."""
    return {"Cookie": f"{COOKIE}={session_key(database_url, state, 'cashier')}"}


def test_it_serves_pages_and_their_files_without_a_broker(
    start: Start, port: int, logged_in: dict[str, str]
) -> None:
    site = start()
    with asked(port, "/login", {}) as answer:
        assert answer.status == 200
        assert answer.headers["Server"] is None
    with asked(port, "/static/site/till.js", {}) as answer:
        assert answer.status == 200
        assert answer.headers["Content-Type"].startswith("text/javascript")
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert "max-age=0" in answer.headers["Cache-Control"]
        assert b"openStream" in answer.read()
        tag = answer.headers["ETag"]
    with asked(port, "/static/site/till.js", {"If-None-Match": tag}) as answer:
        assert (answer.status, answer.read()) == (304, b"")
    with asked(port, "/static/../settings.py", {}) as answer:
        assert answer.status == 404
    with asked(port, EVENTS, logged_in) as answer:
        assert answer.headers["Content-Type"] == "text/event-stream"
        # The screen first: what follows vouches for it.
        said = [answer.readline() for _ in range(6)]
        assert said[0] == b"event: board\n"
        assert said[3:5] == [b"event: link\n", b'data: "broker"\n']
    assert "retrying" in site.log
    assert "Traceback" not in site.log
    assert "Warning" not in site.log


def test_it_stops_at_once_with_streams_open(
    start: Start, port: int, logged_in: dict[str, str]
) -> None:
    site = start()
    with asked(port, EVENTS, logged_in) as one, asked(port, EVENTS, logged_in) as two:
        one.readline()
        two.readline()
        began = time.monotonic()
        assert site.stop() == 0
        assert time.monotonic() - began < STOP_S
    assert "Traceback" not in site.log
    assert "ERROR" not in site.log


def test_it_stops_at_once_with_a_counter_stream_open(start: Start, port: int, state: Path) -> None:
    site = start(f'counter_socket = "{state}/control.sock"\n')
    with asked(port, "/counter/events", {}) as stream:
        assert stream.readline() == b"event: link\n"
        began = time.monotonic()
        assert site.stop() == 0
        assert time.monotonic() - began < STOP_S
    assert "Traceback" not in site.log


def test_a_taken_port_is_named(start: Start, port: int) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", port))
        other.listen()
        site = start(ready=None)
        assert site.wait() == 1
    (line,) = site.log.splitlines()
    assert line == (
        f"site: cannot listen on 127.0.0.1:{port}: Address already in use. "
        "Stop what uses it or set [site] host and port in besnik.toml."
    )


def test_a_wrong_setting_is_named(start: Start) -> None:
    site = start("hots = 1\n", ready=None)
    assert site.wait() == 1
    (line,) = site.log.splitlines()
    assert "hots" in line
