"""The power goes at every operation of the flash while a board is made a reader."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from support import flashing
from support.cut_board import CutBoard, cut_board

_AGAIN = 4
"""As many moments are followed by another flash; `bench making` follows all."""


@pytest.mark.parametrize("make", flashing.BEFORE, ids=["bare", "reader"])
def test_what_looks_finished_is_whole_and_the_rest_is_finished_by_flashing_again(
    tmp_path: Path, make: Callable[[CutBoard, dict[str, bytes]], None]
) -> None:
    files = flashing.few(flashing.program(tmp_path))
    with cut_board() as board:
        make(board, files)
        board.record()
        board.flash(files)
        assert board.is_reader(files)
        moments = board.examine()
        assert not moments.wrong, "\n".join(moments.wrong)
        assert moments.count > 250 and 2 <= moments.finished < 20, moments
        operations = board.recorded()
        for number in range(0, operations, operations // _AGAIN):
            board.cut(number, is_torn=bool(number % 2))
            board.flash(files)
            assert board.is_reader(files), f"cut at {number} of {operations}"
