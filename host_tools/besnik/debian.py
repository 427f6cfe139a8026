"""Unpack a Debian or Ubuntu package, and the libraries it needs, without root.

apt-get keeps its state in a folder of ours and uses the system's own sources and keys, so
every package is checked as it would be for an installation. Only the standard library is
used here: ``bootstrap.py`` calls this before anything is installed.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterable
from pathlib import Path

Say = Callable[[str], None]

_SECONDS = 300
_LIBRARY_PREFIX = "lib"


class UnpackError(RuntimeError):
    """A package that cannot be had here; the text says why and what to install instead."""


def unpack(package: str, folder: Path, *, work: Path, say: Say = print) -> None:
    """Unpack ``package`` and its libraries that this system lacks into ``folder``.

    ``work`` keeps apt's lists and downloads. ``folder`` appears complete or not at all;
    an older one is replaced. Raises UnpackError.
    """
    apt = _Apt(package, work)
    say(f"{package}: reading the distribution's package lists")
    apt.update()
    names = apt.closure()
    say(f"{package}: fetching {', '.join(names)}")
    folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=f".{package}-", dir=folder.parent) as scratch:
        debs = apt.download(names, Path(scratch))
        tree = Path(scratch) / "tree"
        tree.mkdir()
        for deb in debs:
            apt.run(["dpkg-deb", "--extract", str(deb), str(tree)])
        tree.chmod(0o755)
        if folder.exists():
            shutil.rmtree(folder)
        tree.rename(folder)
    say(f"{package}: unpacked into {folder}")


def library_path(folder: Path) -> str:
    """Return the LD_LIBRARY_PATH under which programs unpacked in ``folder`` run."""
    roots = [folder / "usr/lib", folder / "lib"]
    folders = {path.parent for root in roots for path in root.rglob("*.so*") if root.is_dir()}
    known = os.environ.get("LD_LIBRARY_PATH", "")
    return ":".join([*sorted(str(path) for path in folders), *filter(None, [known])])


def missing_libraries(program: Path, library_path: str) -> list[str]:
    """Return the shared libraries that ``program`` would not find, by their sonames."""
    done = subprocess.run(
        ["ldd", str(program)],
        env={**os.environ, "LC_ALL": "C", "LD_LIBRARY_PATH": library_path},
        capture_output=True,
        text=True,
        check=False,
    )
    return [line.split()[0] for line in done.stdout.splitlines() if "not found" in line]


class _Apt:
    """apt-get with private folders, for one package."""

    def __init__(self, package: str, work: Path) -> None:
        self._package = package
        self._complaints = ""
        tools = ("apt-get", "apt-cache", "dpkg-deb", "dpkg-query")
        if absent := [tool for tool in tools if shutil.which(tool) is None]:
            raise UnpackError(
                f"{package} is not installed and cannot be unpacked here, because there is no "
                f"{absent[0]}: install {package} with this system's package manager"
            )
        state, cache = work.resolve() / "state", work.resolve() / "cache"
        (state / "lists/partial").mkdir(parents=True, exist_ok=True)
        (cache / "archives/partial").mkdir(parents=True, exist_ok=True)
        self._options = [
            f"-oDir::State={state}",
            "-oDir::State::status=/var/lib/dpkg/status",
            f"-oDir::Cache={cache}",
            "-oAPT::Sandbox::User=root",
            "-oDebug::NoLocking=1",
            "-oAcquire::Retries=2",
            "-oAcquire::http::Timeout=20",
            "-oAcquire::https::Timeout=20",
        ]

    def update(self) -> None:
        """Fetch the lists. A source that fails may not be the one we need: go on, remember."""
        done = self._call(["apt-get", *self._options, "--quiet=2", "update"])
        self._complaints = _complaints(done.stderr)

    def closure(self) -> list[str]:
        """Return the package and every library below it that is not installed."""
        only_hard = [
            f"--no-{kind}"
            for kind in ("recommends", "suggests", "conflicts", "breaks", "replaces", "enhances")
        ]
        text = self.run(
            ["apt-cache", *self._options, "depends", "--recurse", *only_hard, self._package]
        )
        needs = _parse_depends(text)
        if self._package not in needs:
            raise self._failure(f"the package lists do not have {self._package}")
        installed = self._installed()
        names, waiting = [self._package], [self._package]
        while waiting:
            for name in needs.get(waiting.pop(), ()):
                if name.startswith(_LIBRARY_PREFIX) and name not in installed | {*names}:
                    names.append(name)
                    waiting.append(name)
        return names

    def download(self, names: Iterable[str], folder: Path) -> list[Path]:
        """Download the packages into ``folder`` and return the files."""
        self.run(["apt-get", *self._options, "--quiet=2", "download", *names], cwd=folder)
        return sorted(folder.glob("*.deb"))

    def run(self, argv: list[str], cwd: Path | None = None) -> str:
        """Run a command and return what it prints; UnpackError when it fails."""
        done = self._call(argv, cwd)
        if done.returncode:
            raise self._failure(_complaints(done.stderr) or f"{argv[0]} failed")
        return done.stdout

    def _call(self, argv: list[str], cwd: Path | None = None) -> subprocess.CompletedProcess[str]:
        environment = {**os.environ, "LC_ALL": "C", "DEBIAN_FRONTEND": "noninteractive"}
        try:
            return subprocess.run(
                argv,
                cwd=cwd,
                env=environment,
                stdin=subprocess.DEVNULL,
                capture_output=True,
                text=True,
                timeout=_SECONDS,
                check=False,
            )
        except subprocess.TimeoutExpired as error:
            raise self._failure(f"{argv[0]} gave no answer in {_SECONDS} s") from error

    def _installed(self) -> frozenset[str]:
        listing = self.run(["dpkg-query", "-W", "-f", "${Package} ${db:Status-Status}\n"])
        rows = (line.split() for line in listing.splitlines())
        return frozenset(row[0] for row in rows if row[-1] == "installed")

    def _failure(self, reason: str) -> UnpackError:
        also = f" ({self._complaints})" if self._complaints else ""
        return UnpackError(
            f"{self._package} cannot be unpacked without root: {reason}{also}. Check the network, "
            f"or install it with: sudo apt-get install {self._package}"
        )


def _parse_depends(text: str) -> dict[str, list[str]]:
    """Return package -> needed packages from what ``apt-cache depends`` prints."""
    needs: dict[str, list[str]] = {}
    current: list[str] = []
    for line in text.splitlines():
        kind, _, name = line.strip().partition("Depends: ")
        if line and not line[0].isspace() and not line.startswith("<"):
            current = needs.setdefault(line.strip(), [])
        elif name and kind in ("", "|", "Pre", "|Pre") and not name.startswith("<"):
            current.append(name)
    return needs


def _complaints(stderr: str) -> str:
    lines = [line.strip() for line in stderr.splitlines() if line.startswith(("E:", "W:"))]
    return "; ".join(dict.fromkeys(lines))[:400]
