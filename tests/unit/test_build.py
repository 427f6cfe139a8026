"""The firmware's build: every module compiled, sizes told, a refused file named."""

from __future__ import annotations

from pathlib import Path

import pytest

from besnik.bytecode import CompileError
from besnik.fleet import build


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """A small firmware."""
    for name, text in {
        "boot.py": "import firmware\n",
        "main.py": "import firmware\n",
        "firmware/app.py": "def run():\n    assert False\n    return 42\n",
        "lib/codec.py": "X = 1\n",
        "lib/deep/part.py": "Y = 2\n",
    }.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    return tmp_path


def test_every_module_is_compiled_and_the_two_that_start_stay_source(tree: Path) -> None:
    out = tree / "out"
    artifacts = build.build(out, tree)
    names = ["firmware/app.mpy", "lib/codec.mpy", "lib/deep/part.mpy"]
    assert [artifact.name for artifact in artifacts] == names
    assert sorted(str(path.relative_to(out)) for path in out.rglob("*.*")) == names
    for artifact in artifacts:
        compiled = (out / artifact.name).read_bytes()
        assert compiled[:2] == b"M\x06"  # .mpy, version 6
        assert artifact.compiled_bytes == len(compiled)


def test_the_table_sums_up(tree: Path) -> None:
    artifacts = build.build(tree / "out", tree)
    last = build.table(artifacts).splitlines()[-1].split()
    assert last == [
        "all",
        str(sum(artifact.source_bytes for artifact in artifacts)),
        str(sum(artifact.compiled_bytes for artifact in artifacts)),
    ]


def test_a_refused_file_is_named_with_its_line(tree: Path) -> None:
    (tree / "lib/codec.py").write_text("X = 1\nmatch X:\n    case 1: pass\n")
    with pytest.raises(CompileError, match=r"(?s)lib/codec\.py.*line 2.*SyntaxError"):
        build.build(tree / "out", tree)


def test_the_firmware_of_this_tree_compiles(tmp_path: Path) -> None:
    names = {artifact.name for artifact in build.build(tmp_path)}
    assert {"firmware/app.mpy", "lib/mfrc522.mpy", "lib/iso14443.mpy"} <= names
