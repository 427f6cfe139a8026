"""The job of the bridge's hot path in Node-RED, as a technician would wire it up.

`mqtt in` at QoS 1, a function node that writes tap, entry and balance with better-sqlite3 in one
transaction (WAL, `synchronous=FULL`), `mqtt out` at QoS 1. No visit is sent, and the tables have no
more than what that needs. npm installs the pinned versions of `tests/bench/nodered` once.
"""

from __future__ import annotations

import json
import shutil
import sqlite3
import subprocess
from contextlib import closing
from pathlib import Path
from typing import Final

from parts import ROOT, Parts

from support.broker import free_port
from support.processes import Running

_SOURCE: Final = Path(__file__).parent / "nodered"
_BUILT: Final = ROOT / "build/bench/nodered"
_INSTALL_S: Final = 900
_TABLES: Final = """
    CREATE TABLE card (id INTEGER PRIMARY KEY, data TEXT UNIQUE, member INTEGER);
    CREATE TABLE tap (
        id INTEGER PRIMARY KEY, reader TEXT, tap_id TEXT, data TEXT, card INTEGER, outcome TEXT,
        received_at TEXT, UNIQUE (reader, tap_id));
    CREATE TABLE entry (id INTEGER PRIMARY KEY, tap INTEGER UNIQUE, member INTEGER, amount INTEGER);
    CREATE TABLE account (member INTEGER PRIMARY KEY, balance INTEGER);
    """


def installed() -> str:
    """Install what package-lock.json names; return why it could not be, or an empty text."""
    npm, node = shutil.which("npm"), shutil.which("node")
    if npm is None or node is None:
        return "no Node.js (node, npm)"
    done = _BUILT / "installed.json"
    wanted = (_SOURCE / "package-lock.json").read_text(encoding="utf-8")
    if done.exists() and done.read_text(encoding="utf-8") == wanted:
        return ""
    shutil.rmtree(_BUILT, ignore_errors=True)
    shutil.copytree(_SOURCE, _BUILT)
    try:
        subprocess.run(
            [npm, "ci", "--no-audit", "--no-fund", "--loglevel=error"],
            cwd=_BUILT,
            check=True,
            capture_output=True,
            timeout=_INSTALL_S,
        )
    except (subprocess.CalledProcessError, subprocess.TimeoutExpired) as error:
        return f"npm cannot install Node-RED ({type(error).__name__})"
    done.write_text(wanted, encoding="utf-8")
    return ""


def start(parts: Parts, cards: int) -> Running:
    """Start Node-RED in the bridge's place, with ``cards`` cards in a database of its own."""
    user = parts.folder / "nodered"
    shutil.copytree(_SOURCE, user)
    (user / "node_modules").symlink_to(_BUILT / "node_modules")
    database = user / "shop.sqlite3"
    _populate(database, cards)
    (user / "flows.json").write_text(json.dumps(_flows(parts)), encoding="utf-8")
    secret = {"broker": {"user": "bridge", "password": parts.broker.passwords["bridge"]}}
    (user / "flows_cred.json").write_text(json.dumps(secret), encoding="utf-8")
    node = shutil.which("node")
    assert node is not None, "installed() says so"
    return parts.processes.start(
        "node-red",
        [node, _BUILT / "node_modules/node-red/red.js", "--userDir", user],
        environment={"BENCH_UI_PORT": str(free_port()), "BENCH_DATABASE": str(database)},
        ready="Connected to broker",
        timeout_s=60,
    )


def _populate(database: Path, cards: int) -> None:
    with closing(sqlite3.connect(database)) as connection:
        connection.executescript(_TABLES)
        numbers = range(cards)
        connection.executemany(
            "INSERT INTO card VALUES (?, ?, ?)", ((n + 1, f"04{n:012X}", n + 1) for n in numbers)
        )
        connection.executemany("INSERT INTO account VALUES (?, 0)", ((n + 1,) for n in numbers))
        connection.commit()


def _flows(parts: Parts) -> list[dict[str, object]]:
    broker = {"host": parts.broker.host, "port": str(parts.broker.port)}
    code = (_SOURCE / "settle.js").read_text(encoding="utf-8")
    return [
        {"id": "tab", "type": "tab", "label": "taps"},
        {
            "id": "broker",
            "type": "mqtt-broker",
            "broker": broker["host"],
            "port": broker["port"],
            "clientid": "besnik-node-red",
            "autoConnect": True,
            "protocolVersion": "4",
            "keepalive": "60",
            "cleansession": True,
        },
        {
            "id": "taps",
            "type": "mqtt in",
            "z": "tab",
            "topic": "besnik/v1/+/+/tap",
            "qos": "1",
            "datatype": "utf8",
            "broker": "broker",
            "inputs": 0,
            "wires": [["settle"]],
        },
        {
            "id": "settle",
            "type": "function",
            "z": "tab",
            "func": code,
            "outputs": 1,
            "timeout": 0,
            "initialize": "",
            "finalize": "",
            "libs": [],
            "wires": [["verdicts"]],
        },
        {
            "id": "verdicts",
            "type": "mqtt out",
            "z": "tab",
            "topic": "",
            "qos": "1",
            "retain": "false",
            "broker": "broker",
            "wires": [],
        },
    ]
