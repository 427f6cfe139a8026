"""mosquitto out of the distribution's package, as somebody who may install nothing."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from besnik import broker, debian
from support.broker import free_port
from support.processes import Processes, wait_until

UNPACK = """
import sys
from pathlib import Path
from besnik import debian
folder = Path(sys.argv[1])
try:
    debian.unpack("mosquitto", folder / "mosquitto", work=folder / "apt")
except debian.UnpackError as error:
    sys.exit(str(error))
"""


@pytest.fixture
def ordinary_user() -> list[str]:
    """The start of a command line that makes the rest run without root."""
    if os.geteuid() != 0:
        return []
    if not shutil.which("runuser"):
        pytest.skip("runs as root and has no runuser to become somebody else")
    return ["runuser", "-u", "nobody", "--"]


@pytest.fixture
def unpacked(state: Path, root: Path, ordinary_user: list[str]) -> Iterator[Path]:
    """A folder with mosquitto unpacked by an ordinary user, who owns it."""
    if not shutil.which("apt-get"):
        pytest.skip("no apt-get on this system")
    (state / "besnik").mkdir()
    for name in ("__init__.py", "debian.py"):
        shutil.copy(root / "host_tools/besnik" / name, state / "besnik")
    hand_over(state)
    done = subprocess.run(
        [*ordinary_user, "/usr/bin/python3", "-c", UNPACK, str(state)],
        cwd=state,
        env={"PATH": os.environ["PATH"], "PYTHONPATH": str(state)},
        capture_output=True,
        text=True,
        check=False,
    )
    if "Failed to fetch" in done.stderr:
        pytest.skip(f"no way to the distribution's packages: {done.stderr}")
    assert done.returncode == 0, done.stderr
    yield state / "mosquitto"


def hand_over(folder: Path) -> None:
    """Give a folder and all in it to the ordinary user, when the tests run as root."""
    if os.geteuid() == 0:
        for path in (folder, *folder.rglob("*")):
            shutil.chown(path, "nobody")


def test_an_ordinary_user_unpacks_and_runs_it(
    unpacked: Path, state: Path, processes: Processes, ordinary_user: list[str]
) -> None:
    mosquitto = broker.unpacked(state)
    assert mosquitto.program == unpacked / "usr/sbin/mosquitto"
    assert unpacked.stat().st_uid != 0
    port = free_port()
    configuration = broker.configure(state / "broker", port=port, accounts={"bridge": "secret"})
    configuration.write_text(configuration.read_text().replace("user root\n", ""))
    hand_over(state)

    running = processes.start(
        "mosquitto",
        [*ordinary_user, *mosquitto.command(configuration)],
        environment=mosquitto.environment,
    )

    wait_until(
        lambda: broker.answers("127.0.0.1", port) or not running.alive,
        "the unpacked broker listens",
    )
    assert running.alive, running.log


def test_a_package_that_does_not_exist_is_named(unpacked: Path, state: Path) -> None:
    with pytest.raises(debian.UnpackError, match=r"besnik-no-such.*sudo apt-get install"):
        debian.unpack("besnik-no-such", state / "none", work=state / "apt", say=lambda _: None)
    assert not (state / "none").exists()


def test_without_apt_the_message_says_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(broker.BrokerError, match="no apt-get: install mosquitto with"):
        broker.unpacked(tmp_path / "cache")
