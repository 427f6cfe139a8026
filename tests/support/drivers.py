"""RC522 drivers by others, from the package index, each in a folder of its own.

Two of them call their module ``mfrc522``, as our own library does, so none is ever installed.
"""

from __future__ import annotations

import hashlib
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
LOCK = ROOT / "host_tools/requirements/drivers.lock"


class DriversError(Exception):
    """The drivers cannot be had; the text is the reason in one line."""


def obtain(cache: Path = ROOT / ".besnik/cache") -> Path:
    """Return the folder that has one folder for each driver, named as its distribution is.

    What the lock file pins is downloaded once. Raises DriversError.
    """
    folder = cache / f"drivers-{hashlib.sha256(LOCK.read_bytes()).hexdigest()[:12]}"
    if folder.exists():
        return folder
    cache.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=cache) as scratch:
        wheels, unpacked = Path(scratch) / "wheels", Path(scratch) / "unpacked"
        _download(wheels)
        for wheel in wheels.glob("*.whl"):
            with zipfile.ZipFile(wheel) as archive:
                archive.extractall(unpacked / wheel.name.split("-")[0].replace("_", "-"))
        try:
            unpacked.rename(folder)
        except OSError:
            # Another process was faster; its copy is the same by the hashes.
            if not folder.exists():
                raise
    return folder


def _download(wheels: Path) -> None:
    options = ["--no-deps", "--require-hashes", "--only-binary=:all:", "--no-input", "--quiet"]
    done = subprocess.run(
        [sys.executable, "-m", "pip", "download", *options, "-d", str(wheels), "-r", str(LOCK)],
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        reason = done.stderr.strip().splitlines() or ["pip gave no reason"]
        raise DriversError(f"the drivers of {LOCK.name} cannot be downloaded: {reason[-1]}")
