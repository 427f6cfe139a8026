"""Compiles the firmware to the set of ``.mpy`` files that a reader carries.

``python -m besnik.fleet.build [FOLDER]`` writes the set and prints its sizes.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterable
from pathlib import Path

import msgspec

from besnik.bytecode import CompileError, compile_file, modules

ROOT = Path(__file__).resolve().parents[3]


class Artifact(msgspec.Struct, frozen=True):
    """One compiled module: its path on the device and both sizes in bytes."""

    name: str
    source_bytes: int
    compiled_bytes: int


def build(target: Path, root: Path = ROOT) -> list[Artifact]:
    """Compile every module into ``target`` under its path on the device; CompileError."""
    artifacts = []
    for source in modules(root):
        name = source.relative_to(root).as_posix()
        output = (target / name).with_suffix(".mpy")
        compile_file(source, output, name)
        sizes = (source.stat().st_size, output.stat().st_size)
        artifacts.append(Artifact(output.relative_to(target).as_posix(), *sizes))
    return artifacts


def table(artifacts: Iterable[Artifact]) -> str:
    """Return the sizes as a table with a sum, for a person."""
    rows = [(each.name, each.source_bytes, each.compiled_bytes) for each in artifacts]
    rows.append(("all", sum(row[1] for row in rows), sum(row[2] for row in rows)))
    width = max(len(row[0]) for row in rows)
    lines = [f"{'module':{width}}  source B    .mpy B"]
    lines += [f"{name:{width}}  {source:8}  {compiled:8}" for name, source, compiled in rows]
    return "\n".join(lines)


def main(arguments: list[str] | None = None) -> int:
    """Build the set and print its sizes; return the exit status."""
    parser = argparse.ArgumentParser(prog="besnik firmware", description=main.__doc__)
    parser.add_argument("folder", nargs="?", type=Path, default=ROOT / "build/firmware")
    folder: Path = parser.parse_args(arguments).folder
    try:
        artifacts = build(folder)
    except CompileError as error:
        print(f"besnik firmware: {error}", file=sys.stderr)
        return 1
    print(table(artifacts))
    print(f"written to {folder}; boot.py and main.py travel as source")
    return 0


if __name__ == "__main__":
    sys.exit(main())
