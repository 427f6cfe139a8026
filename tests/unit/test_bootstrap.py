"""``bootstrap.py`` on machines that lack something: it goes on without it or says what to do."""

from __future__ import annotations

import importlib.util
import os
import stat
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest

SOURCE = Path(__file__).resolve().parents[2] / "host_tools/bootstrap.py"


@pytest.fixture
def bootstrap(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """The module, working in a folder of the test's own."""
    spec = importlib.util.spec_from_file_location("bootstrap_in_test", SOURCE)
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    for name, value in {
        "ROOT": tmp_path,
        "VENV": tmp_path / ".venv",
        "PYTHON": tmp_path / ".venv/bin/python",
        "STAMP": tmp_path / ".venv/besnik.json",
        "STATE": tmp_path / ".besnik",
        "LOCKS": tmp_path,
        "TYPINGS": tmp_path / "typings",
    }.items():
        monkeypatch.setattr(module, name, value)
    (tmp_path / ".besnik").mkdir()
    for name in ("run.lock", "dev.lock"):
        (tmp_path / name).write_text("")
    (tmp_path / "pyproject.toml").write_text("")
    return module


def tool(folder: Path, name: str, script: str) -> Path:
    """Put a command into a folder and return it."""
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / name
    file.write_text(f"#!/bin/sh\n{script}\n")
    file.chmod(file.stat().st_mode | stat.S_IXUSR)
    return file


def test_the_environment_is_made_once(
    bootstrap: ModuleType, capsys: pytest.CaptureFixture[str]
) -> None:
    bootstrap.make_venv()
    assert "making" in capsys.readouterr().out
    made = bootstrap.PYTHON.stat().st_mtime_ns, list(bootstrap.VENV.rglob("pip"))
    assert made[1] == []

    bootstrap.make_venv()

    assert capsys.readouterr().out == ""


def test_an_environment_whose_python_is_gone_is_made_anew(bootstrap: ModuleType) -> None:
    bootstrap.make_venv()
    bootstrap.PYTHON.unlink()
    bootstrap.PYTHON.symlink_to("/nowhere/python3.11")
    bootstrap.make_venv()
    assert bootstrap.quiet([str(bootstrap.PYTHON), "-c", ""])


def test_an_old_python_hands_over_to_a_newer_one_on_path(
    bootstrap: ModuleType, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(bootstrap.sys, "version_info", (3, 9, 2))
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    with pytest.raises(
        bootstrap.BootstrapError, match=r"3\.11 or later is needed and this is 3\.9"
    ):
        bootstrap.new_enough_python()
    newer = tool(tmp_path / "bin", "python3.12", "true")
    assert bootstrap.new_enough_python() == str(newer)


def test_pip_comes_from_the_system_when_the_environment_cannot_have_its_own(
    bootstrap: ModuleType,
) -> None:
    bootstrap.PYTHON.parent.mkdir(parents=True)
    tool(bootstrap.PYTHON.parent, "python", '[ "$1" != -m ]')
    command = bootstrap.pip_command()
    assert command == [sys.executable, "-m", "pip", "--python", str(bootstrap.PYTHON)]


def test_without_any_pip_and_without_apt_it_says_what_to_install(
    bootstrap: ModuleType, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(bootstrap, "ROOT", SOURCE.parents[1])
    monkeypatch.setattr(bootstrap.sys, "executable", "/nowhere/python3")
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(bootstrap.BootstrapError, match="sudo apt-get install python3-venv"):
        bootstrap.pip_command()


def test_a_pip_that_fails_is_told_in_one_line(
    bootstrap: ModuleType, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    fails = tool(tmp_path, "pip", "echo Collecting a; echo 'ERROR: no matching hash'; exit 1")
    monkeypatch.setattr(bootstrap, "pip_command", lambda: [str(fails)])
    with pytest.raises(bootstrap.BootstrapError) as raised:
        bootstrap.pip("packages", ["install"])
    assert "\n" not in str(raised.value)
    assert "installing packages failed: ERROR: no matching hash" in str(raised.value)
    assert "Collecting a" in (bootstrap.STATE / "pip.log").read_text()


def test_a_slow_pip_is_heard_of(
    bootstrap: ModuleType,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
) -> None:
    slow = tool(tmp_path, "pip", "echo 'Collecting django==5'; sleep 0.7")
    monkeypatch.setattr(bootstrap, "pip_command", lambda: [str(slow)])
    monkeypatch.setattr(bootstrap, "QUIET_S", 0.3)
    bootstrap.pip("packages", ["install"])
    assert "installing packages: Collecting django==5 (1 so far)" in capsys.readouterr().out


@pytest.fixture
def installed(bootstrap: ModuleType, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """A pip that only writes down what it was asked for; returns its notes."""
    notes = tmp_path / "notes"
    pip = tool(tmp_path, "pip", f'echo "$@" >> {notes}')
    monkeypatch.setattr(bootstrap, "pip_command", lambda: [str(pip)])
    bootstrap.VENV.mkdir()
    return notes


def asked(notes: Path) -> list[str]:
    """Return the lock files and folders pip was asked to install, and forget them."""
    lines = notes.read_text().splitlines() if notes.exists() else []
    notes.unlink(missing_ok=True)
    return [
        word.rpartition("/")[2]
        for line in lines
        for flag, word in zip(line.split(), line.split()[1:], strict=False)
        if flag in ("-r", "-e")
    ]


def test_what_has_not_changed_is_not_installed_again(
    bootstrap: ModuleType, installed: Path, tmp_path: Path
) -> None:
    project = tmp_path.name
    bootstrap.install_packages("run")
    assert asked(installed) == ["run.lock", project]
    bootstrap.install_packages("run")
    assert asked(installed) == []

    bootstrap.install_packages("dev")
    assert asked(installed) == ["dev.lock", project]
    bootstrap.install_packages("run")
    assert asked(installed) == []

    (tmp_path / "dev.lock").write_text("pytest==1")
    bootstrap.install_packages("run")
    assert asked(installed) == ["dev.lock", project]
    (tmp_path / "pyproject.toml").write_text("[project]")
    bootstrap.install_packages("run")
    assert asked(installed) == [project]


def test_every_package_needs_its_hash(bootstrap: ModuleType, installed: Path) -> None:
    bootstrap.install_packages("run")
    first = installed.read_text().splitlines()[0]
    assert "--require-hashes" in first
    assert "--no-deps" in first


def test_a_broken_installation_is_done_again(
    bootstrap: ModuleType, installed: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    bootstrap.install_packages("run")
    asked(installed)
    (tmp_path / "run.lock").write_text("django==6")
    with monkeypatch.context() as broken:
        fails = tool(tmp_path / "broken", "pip", "exit 1")
        broken.setattr(bootstrap, "pip_command", lambda: [str(fails)])
        with pytest.raises(bootstrap.BootstrapError):
            bootstrap.install_packages("run")
    bootstrap.install_packages("run")
    assert asked(installed) == ["run.lock", tmp_path.name]


def test_a_wrong_argument_is_explained() -> None:
    done = subprocess.run(
        [sys.executable, SOURCE, "everything"],
        env={"PATH": os.environ["PATH"]},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 2
    assert "run|dev|stubs" in done.stderr
