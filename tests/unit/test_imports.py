"""Who may import whom: the arrows between Besnik's rooms never run back."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
HOST = ROOT / "host_tools/besnik"

WORDS = {"contract", "config", "credentials", "loyalty"}
STORE = {*WORDS, "store", "demo"}
CRM = {*STORE, "crm"}

# What each room of the host may import of besnik besides itself. A room that is not named here
# has to be given its place first.
MAY_IMPORT = {
    "contract": set(),
    "config": set(),
    "credentials": set(),
    "loyalty": set(),
    "demo": set(),
    "debian": set(),
    "bytecode": set(),
    "unix_port": set(),
    "store": STORE,
    "crm": CRM,
    "bridge": CRM,
    "site": {*CRM, "sim.control", "sim.signals"},  # for the demo's counter page
    "broker": {"contract", "debian"},
    "sim": {"contract", "bytecode", "unix_port"},
    "fleet": {*STORE, "broker", "bytecode", "unix_port"},
    "run": {*CRM, "bridge", "site", "sim", "broker", "fleet"},
    "cli": {*CRM, "bridge", "site", "sim", "broker", "fleet", "run"},
}
# The pure rooms: values in, values out.
PURE = ("contract", "credentials", "loyalty")
PURE_LIBRARIES = {"msgspec", "cryptography", "ecdsa"}
INPUT_OUTPUT = {"socket", "sqlite3", "asyncio", "threading", "subprocess", "pathlib", "os", "io"}
# The one file of a pure room that reads: it fetches the keys, and minds who else may.
READS = {HOST / "credentials/keys.py"}
CHIP = {"machine", "network", "esp32"}


def imports(file: Path, package: str = "") -> Iterator[str]:
    """Yield the absolute names that a file imports, wherever in it; ``package`` is its own."""
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            above = package.split(".")[: len(package.split(".")) - node.level + 1]
            start = ".".join([*above, node.module or ""]) if node.level else node.module or ""
            yield from (f"{start.strip('.')}.{alias.name}" for alias in node.names)


def files(folder: Path) -> list[Path]:
    found = sorted(folder.rglob("*.py")) if folder.is_dir() else [folder.with_suffix(".py")]
    assert found, f"nothing in {folder}"
    return found


def package_of(file: Path) -> str:
    return ".".join(file.relative_to(HOST.parent).parent.parts)


def rooms() -> list[str]:
    entries = [
        entry for entry in HOST.iterdir() if entry.name not in ("__init__.py", "__pycache__")
    ]
    return sorted(
        {entry.stem for entry in entries if entry.suffix == ".py" or any(entry.iterdir())}
    )


def below(name: str, allowed: set[str]) -> bool:
    return any(name == entry or name.startswith(entry + ".") for entry in allowed)


def is_device_code(file: Path) -> bool:
    return HOST / "sim/model" in file.parents or HOST / "sim/shims" in file.parents


@pytest.mark.parametrize("room", rooms())
def test_a_room_imports_only_rooms_below_it(room: str) -> None:
    allowed = MAY_IMPORT[room] | {room}
    wrong = [
        f"{file.relative_to(ROOT)}: {name}"
        for file in files(HOST / room)
        if not is_device_code(file)
        for name in imports(file, package_of(file))
        if name.startswith("besnik.") and not below(name.removeprefix("besnik."), allowed)
    ]
    assert wrong == []


@pytest.mark.parametrize("room", PURE)
def test_a_pure_room_knows_no_framework_and_no_input_or_output(room: str) -> None:
    standard = set(sys.stdlib_module_names) - INPUT_OUTPUT
    wrong = [
        f"{file.relative_to(ROOT)}: {name}"
        for file in files(HOST / room)
        if file not in READS
        for name in imports(file, package_of(file))
        if name.split(".")[0] not in standard | PURE_LIBRARIES | {"besnik"}
    ]
    assert wrong == []


@pytest.mark.parametrize("folder", ["firmware", "lib", "boot.py", "start.py", "main.py"])
def test_the_device_imports_nothing_of_the_host(folder: str) -> None:
    for file in files(ROOT / folder):
        assert not [name for name in imports(file) if name.startswith("besnik")], file


# Besides boot.py and start.py, which no slot with firmware in it may keep from running.
def test_only_the_board_knows_the_chip() -> None:
    for file in [*files(ROOT / "firmware"), *files(ROOT / "lib"), ROOT / "main.py"]:
        known = {name.split(".")[0] for name in imports(file)} & CHIP
        assert not known or file == ROOT / "firmware/board.py", f"{file} imports {known}"


def test_the_libraries_know_nothing_of_the_firmware() -> None:
    for file in files(ROOT / "lib"):
        assert not [name for name in imports(file) if name.split(".")[0] == "firmware"], file


def test_the_model_of_the_chip_runs_without_the_rest() -> None:
    for file in files(HOST / "sim/model"):
        names = [name for name in imports(file, package_of(file)) if name.startswith("besnik")]
        assert not [name for name in names if not name.startswith("besnik.sim.model")], file


def test_the_bridge_runs_without_django() -> None:
    code = "import sys, besnik.bridge.__main__; sys.exit('django' in sys.modules)"
    environment = {"PYTHONPATH": str(HOST.parent)}
    done = subprocess.run([sys.executable, "-c", code], env=environment, check=False)
    assert done.returncode == 0


def test_the_rule_sees_an_arrow_that_runs_back(tmp_path: Path) -> None:
    file = tmp_path / "wrong.py"
    file.write_text("def late():\n    from ..site import views\n    import besnik.bridge.link\n")
    assert list(imports(file, "besnik.store.hot")) == [
        "besnik.store.site.views",
        "besnik.bridge.link",
    ]
    assert not below("bridge.link", MAY_IMPORT["store"])
    assert below("sim.control.Control", MAY_IMPORT["site"])
    assert not below("sim.controls", MAY_IMPORT["site"])
