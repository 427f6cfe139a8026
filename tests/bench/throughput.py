"""Taps a second with the whole ledger written, against a responder that does no work.

1, 100 and 500 readers, in C, tap in a closed loop at QoS 1: one tap outstanding each, the next when
its verdict has come. The bridge (SQLite, `synchronous=FULL`: an fsync before every answer; tap,
entry, postings, lot and balances written; verdict and visit sent) takes turns with two responders
that answer each tap at once and do nothing else, one in C and one in Python on gmqtt, and at 100
readers with Node-RED, as a technician would wire it up: `mqtt in`, a function node that writes tap,
entry and balance with better-sqlite3 in one transaction (WAL, `synchronous=FULL`), `mqtt out`; it
sends no visit. Each has a mosquitto of its own with the configuration that ships. 10,000 cards.
Readers, broker and bridge share the machine, so a ratio is told, of the medians over the rounds.

An fdatasync is that of 24 KiB appended to a file beside the database, in the same rounds.
"""

from __future__ import annotations

import os
import statistics
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import loadgen
import peer
import population
from figures import Figure, at_least, at_most
from parts import Parts, parts

TITLE = "Throughput"
ROUNDS = 5
SECONDS = 2.0
READERS = (1, 100, 500)
CARDS = 10_000
# Of the floor, by readers; None: the median time has a goal instead.
_GOALS = {100: 0.40, 500: 0.50}
_TAPS_PER_CPU_S = 5_000
_PEER_READERS = 100
_TIMES_PEER = 3
_IDLE_MB = 80
_P50_MS = 20
_OWN_MS = 0.3


@dataclass
class Side:
    """One of those who take turns: where it answers, and what the rounds found, by readers."""

    parts: Parts
    pid: int
    accounts: Path
    rates: dict[int, list[float]] = field(default_factory=dict)
    p50_ms: dict[int, list[float]] = field(default_factory=dict)
    p99_ms: dict[int, list[float]] = field(default_factory=dict)
    per_cpu_s: dict[int, list[float]] = field(default_factory=dict)

    def take(self, programs: loadgen.Programs, readers: int, boot: int) -> None:
        """Measure once."""
        before_s = loadgen.cpu_s(self.pid)
        report = loadgen.run(
            programs,
            self.parts.broker,
            self.accounts,
            readers=readers,
            cards=CARDS,
            boot=boot,
            seconds=SECONDS,
        )
        used_s = max(loadgen.cpu_s(self.pid) - before_s, 0.01)
        self.rates.setdefault(readers, []).append(report.rate)
        self.p50_ms.setdefault(readers, []).append(report.p50_ms)
        self.p99_ms.setdefault(readers, []).append(report.p99_ms)
        self.per_cpu_s.setdefault(readers, []).append(report.all / used_s)


@dataclass
class Found:
    """What all rounds found."""

    sides: dict[str, Side]
    fdatasync_ms: list[float]
    idle_mb: float
    without_peer: str


def measure() -> list[Figure]:
    """Take turns; without a C compiler there is nothing to measure with."""
    programs = loadgen.built()
    if programs is None:
        return [Figure("throughput", "not measured: no C compiler (cc)")]
    without_peer = peer.installed()
    with _sides(programs, not without_peer) as (sides, idle_mb):
        found = Found(sides, [], idle_mb, without_peer)
        for boot in range(1, ROUNDS + 1):
            for readers in READERS:
                for name, side in sides.items():
                    if name != "peer" or readers == _PEER_READERS:
                        side.take(programs, readers, boot * 1000 + readers)
            found.fdatasync_ms += _fdatasyncs_ms(sides["bridge"].parts.folder / "fdatasync")
    return _figures(found)


@contextmanager
def _sides(programs: loadgen.Programs, with_peer: bool) -> Iterator[tuple[dict[str, Side], float]]:
    slugs = loadgen.names(max(READERS))
    with ExitStack() as stack:
        shops = [stack.enter_context(parts(slugs)) for _ in range(4 if with_peer else 3)]
        ours, floor, python = shops[:3]
        population.add_readers(ours.url, slugs)
        population.add_cards(ours.url, 0, CARDS - 1)
        processes = {"bridge": ours.bridge.start()}
        time.sleep(1)
        idle_mb = loadgen.resident_mb(processes["bridge"].pid)
        processes["floor"] = loadgen.start_responder(programs, floor.broker, floor.processes)
        processes["python"] = loadgen.start_python_responder(python.broker, python.processes)
        if with_peer:
            processes["peer"] = peer.start(shops[3], CARDS)
        sides = {
            name: Side(shop, process.pid, loadgen.write_accounts(shop.folder, shop.broker))
            for shop, (name, process) in zip(shops, processes.items(), strict=True)
        }
        yield sides, idle_mb


def _fdatasyncs_ms(file: Path, count: int = 100) -> list[float]:
    """Return how long it takes to append 24 KiB and have it on the disk, ``count`` times."""
    taken = []
    with file.open("ab", buffering=0) as stream:
        for _ in range(count):
            began = time.perf_counter()
            stream.write(bytes(24 * 1024))
            os.fdatasync(stream.fileno())
            taken.append((time.perf_counter() - began) * 1000)
    file.unlink()
    return taken


def _figures(found: Found) -> list[Figure]:
    bridge, floor, python = (found.sides[name] for name in ("bridge", "floor", "python"))
    figures = []
    for readers, goal in _GOALS.items():
        least = statistics.median(floor.rates[readers])
        ratio = statistics.median(bridge.rates[readers]) / least
        of_python = statistics.median(python.rates[readers]) / least
        figures += [
            at_least(f"taps/s, {readers} readers: of the no-op responder's", ratio, goal, "", 2),
            Figure(f"taps/s, {readers} readers: no-op on gmqtt", f"{of_python:.2f}"),
            at_least(
                f"taps per CPU second of the bridge, {readers} readers",
                statistics.median(bridge.per_cpu_s[readers]),
                _TAPS_PER_CPU_S,
                "",
            ),
            Figure(
                f"p50 and p99, {readers} readers (no-op responder)",
                f"{_both(bridge, readers)} ms ({_both(floor, readers)} ms)",
            ),
        ]
    return [*figures, _against_peer(found), *_of_one_reader(found)]


def _against_peer(found: Found) -> Figure:
    what = f"taps/s, {_PEER_READERS} readers: times Node-RED with better-sqlite3"
    if found.without_peer:
        return Figure(what, f"not measured: {found.without_peer}")
    ours, theirs = (
        statistics.median(found.sides[name].rates[_PEER_READERS]) for name in ("bridge", "peer")
    )
    return at_least(what, ours / theirs, _TIMES_PEER, "", 1)


def _of_one_reader(found: Found) -> list[Figure]:
    ours, least = (statistics.median(found.sides[name].p50_ms[1]) for name in ("bridge", "floor"))
    fdatasync_ms = statistics.median(found.fdatasync_ms)
    limit = least + 2 * fdatasync_ms + _OWN_MS
    return [
        Figure(
            "one reader, p50",
            f"{ours:.2f} ms",
            f"≤ {limit:.2f} ms: no-op responder + 2 fdatasync + {_OWN_MS} ms",
            ours <= min(limit, _P50_MS),
        ),
        Figure("one reader, p50, no-op responder", f"{least:.2f} ms"),
        Figure("fdatasync, p50", f"{fdatasync_ms:.2f} ms"),
        at_most("memory of the idle bridge", found.idle_mb, _IDLE_MB, "MB"),
    ]


def _both(side: Side, readers: int) -> str:
    middle, late = (statistics.median(all_of[readers]) for all_of in (side.p50_ms, side.p99_ms))
    return f"{middle:.1f} and {late:.1f}"
