"""Measures the numbers of docs/figures.md: ``make bench``.

Prints a table and writes it, with the benchmark's method, to docs/figures.md. ``python tests/bench
frames`` measures one part and leaves the others as they were. Exit code 1 if a goal is missed.
"""

from __future__ import annotations

import sys
from importlib import import_module
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parent)]

from figures import table  # noqa: E402 - it lives beside this file and needs the path above

# In the order of the page. Each is a module here with TITLE and measure(), imported when its turn
# comes: one that is broken takes no other with it.
BENCHMARKS = (
    "frames",
    "cards",
    "hostile",
    "latency",
    "screen",
    "throughput",
    "batches",
    "growth",
    "ledger",
    "flash",
    "making",
    "examining",
    "ten",
    "heap",
    "update",
    "kills",
    "stages",
    "backlog",
    "outages",
    "crm_outages",
    "finding",
    "crm",
    "crm_import",
)
DOCUMENT = HERE.parents[1] / "docs/figures.md"
HEADER = """# Figures

Measured by `make bench`, which writes this page. Absolute times are one machine's (two shared
cores) and only mean something beside the others of the same run.
"""


def main() -> int:
    """Run the benchmarks named on the command line, or all."""
    missed = False
    for name in sys.argv[1:] or BENCHMARKS:
        benchmark = import_module(name)
        print(f"{benchmark.TITLE} …", flush=True)
        figures = benchmark.measure()
        missed |= any(figure.is_met is False for figure in figures)
        method = (benchmark.__doc__ or "").strip()
        section = f"## {benchmark.TITLE}\n\n{method}\n\n{table(figures)}\n"
        print(table(figures), flush=True)
        if hasattr(benchmark, "comparison"):
            comparison = benchmark.comparison()
            print(comparison, flush=True)
            section += f"\n{comparison}\n"
        _write(benchmark.TITLE, section)
    print(f"written: {DOCUMENT}")
    return int(missed)


def _write(title: str, section: str) -> None:
    """Put ``section`` where the page has the one of this ``title``, or at its end."""
    known = DOCUMENT.read_text(encoding="utf-8").split("\n## ")[1:] if DOCUMENT.exists() else []
    sections = {text.partition("\n")[0]: f"## {text.strip()}\n" for text in known}
    sections[title] = section
    DOCUMENT.write_text("\n".join([HEADER, *sections.values()]), encoding="utf-8")


if __name__ == "__main__":
    sys.exit(main())
