"""Obtains ``umqtt/simple.py`` of ``micropython-umqtt.simple`` 1.3.4 from the package index.

On an ESP32 the firmware image has umqtt built in; the Unix port has not. The package has neither
a setup.py nor a pyproject.toml, so pip cannot install it; unearth downloads and unpacks it.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

NAME = "micropython-umqtt.simple"
VERSION = "1.3.4"
SHA256 = "b6a2520239e3992c63a7de9370ee9b3d9d27819a90359c521f1c0f7ccab8d12f"


class UmqttError(Exception):
    """umqtt.simple cannot be had; the text says why and what helps."""


def obtain(cache: Path) -> Path:
    """Return the folder that holds ``umqtt/simple.py``, downloading it once into ``cache``.

    Raises UmqttError when it is neither cached nor to be had from the package index.
    """
    library = cache / f"umqtt.simple-{VERSION}"
    if not (library / "umqtt/simple.py").exists():
        cache.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=cache) as scratch:
            unpacked = _download(Path(scratch))
            try:
                unpacked.rename(library)
            except OSError:
                # Another process was faster; its copy is the same by its hash.
                if not (library / "umqtt/simple.py").exists():
                    raise
    return library


def _download(scratch: Path) -> Path:
    """Download, check and unpack into ``scratch``; return the folder that has ``umqtt`` in it."""
    from unearth import PackageFinder

    indexes = _indexes()
    try:
        finder = PackageFinder(index_urls=indexes, no_binary=[NAME])
        best = finder.find_best_match(f"{NAME}=={VERSION}").best
        if best is None:
            raise UmqttError(f"{NAME} {VERSION} is not offered by the package index")
        folder = finder.download_and_unpack(best.link, scratch / "src", scratch)
    except UmqttError:
        raise
    except Exception as error:
        raise UmqttError(
            f"{NAME} {VERSION} cannot be downloaded ({type(error).__name__}: {error}). "
            "It is needed once; connect to the package index and try again."
        ) from error
    # unearth leaves a downloaded archive in `scratch` and unpacks a local one where it is.
    _check(best.link.file_path if best.link.is_file else scratch / best.link.filename)
    target = scratch / "library"
    (target / "umqtt").mkdir(parents=True)
    shutil.copyfile(Path(folder) / "umqtt/simple.py", target / "umqtt/simple.py")
    return target


def _check(archive: Path) -> None:
    """Raise UmqttError unless the archive is the pinned one."""
    found = hashlib.sha256(archive.read_bytes()).hexdigest()
    if found != SHA256:
        raise UmqttError(f"{NAME} {VERSION} has sha256 {found}, pinned is {SHA256}: not used")


def _indexes() -> list[str]:
    """Return the package index's address as pip is configured to use it."""
    if url := os.environ.get("PIP_INDEX_URL"):
        return [url]
    answer = subprocess.run(
        [sys.executable, "-m", "pip", "config", "get", "global.index-url"],
        capture_output=True,
        text=True,
        check=False,
    )
    if answer.returncode == 0 and answer.stdout.strip():
        return [answer.stdout.strip()]
    from pip._internal.models.index import PyPI

    return [PyPI.simple_url]
