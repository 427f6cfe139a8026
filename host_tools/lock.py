"""Pins the newest versions that ``requirements/*.in`` allow, with hashes: ``make lock``."""

from __future__ import annotations

import subprocess
import sys

from bootstrap import LOCKS, STATE, BootstrapError, make_venv, one_at_a_time, pip

UV = STATE / "cache/uv"
FILES = ("run", "dev", "stubs", "oldest", "uv", "drivers", "tryton")
# What these need is not wanted.
ALONE = ("drivers",)
OPTIONS = (
    "--quiet",
    "--universal",
    "--upgrade",
    "--generate-hashes",
    "--no-emit-index-url",
    "--no-emit-find-links",
    "--no-annotate",
    "--no-header",
    "--python-version=3.11",
)


def main() -> int:
    """Write every lock file anew; return the exit status."""
    try:
        with one_at_a_time():
            make_venv()
            tool = ["--require-hashes", "-r", str(LOCKS / "uv.lock")]
            pip("the resolver", ["install", "--no-deps", "--upgrade", "--target", str(UV), *tool])
            for name in FILES:
                resolve(name)
    except BootstrapError as error:
        print(f"besnik: {error}", file=sys.stderr)
        return 1
    return 0


def resolve(name: str) -> None:
    """Turn ``name.in`` into ``name.lock``, or leave the old one."""
    command = [str(UV / "bin/uv"), "pip", "compile", *OPTIONS, "-o", f"{name}.lock", f"{name}.in"]
    if name in ALONE:
        command.append("--no-deps")
    done = subprocess.run(command, cwd=LOCKS, capture_output=True, text=True, check=False)
    if done.returncode:
        raise BootstrapError(f"{name}.in cannot be resolved: {done.stderr.strip()}")
    print(f"{name}.lock: written")


if __name__ == "__main__":
    sys.exit(main())
