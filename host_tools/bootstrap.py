"""Makes ``.venv`` and fills it: ``python3 host_tools/bootstrap.py run|dev|stubs|tryton``.

Runs before anything is installed, so it uses the standard library alone. What a lock file pins
is installed by hash; when nothing has changed since, it returns at once. It needs neither root
nor python3-venv nor pip: pip then comes out of the distribution's own package.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import json
import queue
import re
import shutil
import subprocess
import sys
import threading
import time
from collections import deque
from pathlib import Path
from typing import TYPE_CHECKING

ROOT = Path(__file__).resolve().parent.parent
VENV = ROOT / ".venv"
PYTHON = VENV / "bin/python"
STAMP = VENV / "besnik.json"
STATE = ROOT / ".besnik"
LOCKS = ROOT / "host_tools/requirements"
TYPINGS = ROOT / "typings"
OLDEST_COMPILER = STATE / "cache/oldest"
TRYTON = STATE / "cache/tryton"
OLDEST = (3, 11)
NEWEST_TRIED = 20
QUIET_S = 2.0
PIP_LINE = re.compile(r"^(Collecting|Downloading|Installing collected|Building) \S+")

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    Lines = queue.Queue[str | None]


class BootstrapError(Exception):
    """Something that a person has to do first; the text is one line that says what."""


def main(arguments: list[str]) -> int:
    """Prepare what is asked for; return the exit status."""
    if len(arguments) != 1 or arguments[0] not in ("run", "dev", "stubs", "tryton"):
        print("usage: python3 host_tools/bootstrap.py run|dev|stubs|tryton", file=sys.stderr)
        return 2
    try:
        with one_at_a_time():
            make_venv()
            if arguments[0] == "stubs":
                install_aside("stubs", TYPINGS)
                install_aside("oldest", OLDEST_COMPILER)
            elif arguments[0] == "tryton":
                install_aside("tryton", TRYTON)
            else:
                install_packages(arguments[0])
    except BootstrapError as error:
        print(f"besnik: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("\nbesnik: stopped; the next run goes on from here", file=sys.stderr)
        return 130
    return 0


def say(text: str) -> None:
    """Tell the person what takes time."""
    print(f"besnik: {text}", flush=True)


@contextlib.contextmanager
def one_at_a_time() -> Iterator[None]:
    """Let a second bootstrap of this folder wait for the first."""
    STATE.mkdir(mode=0o700, exist_ok=True)
    with (STATE / "bootstrap.lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            say(f"another make prepares {VENV}; waiting for it")
            fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def new_enough_python() -> str:
    """Return a Python of 3.11 or later: this one, or one that PATH has by its version."""
    if sys.version_info >= OLDEST:
        return sys.executable
    for minor in range(NEWEST_TRIED, OLDEST[1] - 1, -1):
        found = shutil.which(f"python3.{minor}")
        if found:
            return found
    raise BootstrapError(
        "Python {}.{} or later is needed and this is {}.{}; install python3.11 "
        "or name yours: make PYTHON=/path/to/python3.12".format(*OLDEST, *sys.version_info[:2])
    )


def make_venv() -> None:
    """Make ``.venv`` unless there is one that works."""
    if quiet([str(PYTHON), "-c", f"import sys; sys.exit(sys.version_info < {OLDEST!r})"]):
        return
    python = new_enough_python()
    if not quiet([python, "-c", "import venv"]):
        raise BootstrapError(
            f"{python} has no venv module; install it with: sudo apt-get install python3-venv"
        )
    say(f"making {VENV}")
    made = subprocess.run(
        [python, "-m", "venv", "--clear", "--without-pip", str(VENV)],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    if made.returncode:
        raise BootstrapError(f"{VENV} cannot be made: {last_line(made.stdout)}")


def install_packages(wanted: str) -> None:
    """Install what ``run.lock`` or ``dev.lock`` pins and this package, if anything changed."""
    has: dict[str, str] = json.loads(STAMP.read_text()) if STAMP.exists() else {}
    level = "dev" if wanted == "dev" or "dev" in has else "run"
    packages = {name: digest(LOCKS / (name + ".lock")) for name in ("run", level)}
    if any(has.get(name) != value for name, value in packages.items()):
        STAMP.unlink(missing_ok=True)
        lock = LOCKS / (level + ".lock")
        pip(
            "packages",
            [
                *["install", "--no-deps", "--require-hashes"],
                # Nothing is compiled here. esptool is published as source alone, and is Python.
                *["--only-binary=:all:", "--no-binary=esptool"],
                *["-r", str(lock)],
            ],
        )
        has = dict(packages)
    project = digest(ROOT / "pyproject.toml")
    if has.get("project") != project:
        # Nothing to fetch: setuptools is one of the pinned packages.
        pip("besnik itself", ["install", "--no-deps", "--no-build-isolation", "-e", str(ROOT)])
    stamp = json.dumps(dict(has, project=project))
    if not STAMP.exists() or STAMP.read_text() != stamp:
        STAMP.write_text(stamp)


def install_aside(name: str, target: Path) -> None:
    """Put what a lock file pins into a folder of its own: in ``.venv`` it would hide packages.

    ``stubs``: the ESP32's types. ``oldest``: the compiler of the oldest MicroPython we support.
    ``tryton``: the CRM that the tests of `besnik.crm` run against.
    """
    lock = LOCKS / (name + ".lock")
    stamp = target / ".besnik"
    if stamp.exists() and stamp.read_text() == digest(lock):
        return
    shutil.rmtree(target, ignore_errors=True)
    pip(
        f"what {lock.name} pins",
        ["install", "--target", str(target), "--no-deps", "--require-hashes", "-r", str(lock)],
    )
    stamp.write_text(digest(lock))


def pip(what: str, arguments: list[str]) -> None:
    """Run pip; say how far it is whenever it takes over two seconds."""
    command = [*pip_command(), *arguments, "--disable-pip-version-check", "--no-input"]
    with subprocess.Popen(
        [*command, "--progress-bar=off"],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        cwd=str(ROOT),
    ) as process:
        lines: Lines = queue.Queue()
        threading.Thread(target=feed, args=(process.stdout, lines), daemon=True).start()
        tail = follow(what, lines)
    if process.returncode:
        errors = [line for line in tail if line.startswith("ERROR: ")] or tail
        raise BootstrapError(
            "installing {} failed: {} (pip's whole output: {})".format(
                what, errors[0] if errors else "pip said nothing", STATE / "pip.log"
            )
        )


def feed(stream: Iterable[str], lines: Lines) -> None:
    """Move lines from pip into a queue and its log; None ends them."""
    with (STATE / "pip.log").open("w") as log:
        for line in stream:
            log.write(line)
            lines.put(line.rstrip())
    lines.put(None)


def follow(what: str, lines: Lines) -> list[str]:
    """Return pip's last lines, having told the person about them now and then."""
    tail: deque[str] = deque(maxlen=200)
    seen = 0
    doing = "starting pip"
    said_at = time.monotonic()
    while True:
        with contextlib.suppress(queue.Empty):
            line = lines.get(timeout=0.2)
            if line is None:
                return list(tail)
            tail.append(line)
            match = PIP_LINE.match(line)
            if match:
                doing = match.group(0)
                seen += match.group(1) == "Collecting"
        if time.monotonic() - said_at > QUIET_S:
            said_at = time.monotonic()
            say(f"installing {what}: {doing} ({seen} so far)")


def pip_command() -> list[str]:
    """Return the command that runs a pip for ``.venv``, from wherever one can be had."""
    if quiet([str(PYTHON), "-m", "pip", "--version"]) or quiet([str(PYTHON), "-m", "ensurepip"]):
        return [str(PYTHON), "-m", "pip"]
    outer = [sys.executable, "-m", "pip", "--python", str(PYTHON)]
    if quiet([*outer, "--version"]):
        return outer
    wheels = STATE / "cache/pip"
    found = sorted(wheels.glob("usr/share/python-wheels/pip-*.whl"))
    if not found:
        unpack_pip(wheels)
        found = sorted(wheels.glob("usr/share/python-wheels/pip-*.whl"))
    if not found:
        raise BootstrapError("no pip here; install it with: sudo apt-get install python3-venv")
    return [str(PYTHON), str(found[-1] / "pip")]


def unpack_pip(folder: Path) -> None:
    """Unpack the distribution's pip into ``folder``."""
    sys.path.insert(0, str(ROOT / "host_tools"))
    from besnik import debian

    try:
        debian.unpack("python3-pip-whl", folder, work=STATE / "cache/apt", say=say)
    except debian.UnpackError as error:
        raise BootstrapError(
            f"no pip here, and {error}. Or: sudo apt-get install python3-venv"
        ) from error


def quiet(command: list[str]) -> bool:
    """Run a command and return whether it worked."""
    try:
        done = subprocess.run(
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            check=False,
        )
    except OSError:
        return False
    return done.returncode == 0


def digest(file: Path) -> str:
    """Return what tells this version of a file from another."""
    return hashlib.sha256(file.read_bytes()).hexdigest()


def last_line(text: str) -> str:
    """Return the last line that says something."""
    lines = [line for line in text.splitlines() if line.strip()]
    return lines[-1] if lines else "no reason given"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
