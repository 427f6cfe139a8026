"""Measures the numbers of docs/figures.md: ``make bench``.

Prints a table and writes it, with each benchmark's method, to docs/figures.md when all of it was
measured. ``python tests/bench frames`` measures one part and writes nothing. Exit code 1 if a goal
is missed.
"""

from __future__ import annotations

import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parent)]

import backlog  # noqa: E402 - these live beside this file and need the path above
import batches  # noqa: E402
import cards  # noqa: E402
import flash  # noqa: E402
import frames  # noqa: E402
import growth  # noqa: E402
import heap  # noqa: E402
import hostile  # noqa: E402
import kills  # noqa: E402
import latency  # noqa: E402
import outages  # noqa: E402
import stages  # noqa: E402
import throughput  # noqa: E402
from figures import table  # noqa: E402

BENCHMARKS = {
    "frames": frames,
    "cards": cards,
    "hostile": hostile,
    "latency": latency,
    "throughput": throughput,
    "batches": batches,
    "growth": growth,
    "flash": flash,
    "heap": heap,
    "kills": kills,
    "stages": stages,
    "backlog": backlog,
    "outages": outages,
}
DOCUMENT = HERE.parents[1] / "docs/figures.md"
HEADER = """# Figures

Measured by `make bench`, which writes this page. Absolute times are one machine's (two shared
cores) and only mean something beside the others of the same run.
"""


def main() -> int:
    """Run the benchmarks named on the command line, or all."""
    names = sys.argv[1:] or list(BENCHMARKS)
    sections = [HEADER]
    missed = False
    for name in names:
        benchmark = BENCHMARKS[name]
        print(f"{benchmark.TITLE} …", flush=True)
        figures = benchmark.measure()
        missed |= any(figure.is_met is False for figure in figures)
        print(table(figures), flush=True)
        method = (benchmark.__doc__ or "").strip()
        sections.append(f"## {benchmark.TITLE}\n\n{method}\n\n{table(figures)}\n")
        if hasattr(benchmark, "comparison"):
            comparison = benchmark.comparison()
            print(comparison, flush=True)
            sections.append(f"{comparison}\n")
    if len(names) == len(BENCHMARKS):
        DOCUMENT.write_text("\n".join(sections), encoding="utf-8")
        print(f"written: {DOCUMENT}")
    return int(missed)


if __name__ == "__main__":
    sys.exit(main())
