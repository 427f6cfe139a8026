"""Programs from npm for tests, installed once into a cache that is no part of the repository."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Final

import pytest

CACHE: Final = Path(__file__).resolve().parents[2] / ".besnik/cache"
# Directus is 1,100 packages: 8 min on a loaded machine.
_INSTALL_S: Final = 1500
_TAIL_CHARACTERS: Final = 1500


def node() -> str:
    """Return the path of Node.js 20 or later; skips the test, saying why, if there is none."""
    found, npm = shutil.which("node"), shutil.which("npm")
    if found is None or npm is None:
        pytest.skip("node or npm is missing: install nodejs 20 and npm")
    version = subprocess.run([found, "--version"], check=True, capture_output=True, text=True)
    major = int(version.stdout.strip().removeprefix("v").split(".")[0])
    if major < 20:
        pytest.skip(f"Node.js 20 or later is needed, {version.stdout.strip()} is here")
    return found


def installed(name: str, packages: Mapping[str, str]) -> Path:
    """Return a folder with those packages (name -> version) in node_modules."""
    node()
    folder = CACHE / name
    marker = folder / "installed.json"
    wanted = json.dumps(dict(packages), sort_keys=True)
    if marker.is_file() and marker.read_text() == wanted:
        return folder
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "package.json").write_text(json.dumps({"private": True, "dependencies": packages}))
    command = ["npm", "install", "--no-audit", "--no-fund", "--loglevel=error"]
    try:
        done = subprocess.run(
            command, cwd=folder, capture_output=True, text=True, timeout=_INSTALL_S, check=False
        )
    except subprocess.TimeoutExpired:
        pytest.skip(f"npm did not install {', '.join(packages)} within {_INSTALL_S} s")
    if done.returncode:
        pytest.skip(f"npm cannot install {', '.join(packages)}: {done.stderr[-_TAIL_CHARACTERS:]}")
    marker.write_text(wanted)
    return folder
