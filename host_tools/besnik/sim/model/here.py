# The board of this process: what the shims are wired to when no counter runs beside it.

from .board import Board
from .clock import WallClock


class _Here:
    def __init__(self) -> None:
        self.board: "Board | None" = None


_here = _Here()


# The board in use; with the usual pins and in real time when nobody has put another one here.
def board() -> Board:
    if _here.board is None:
        _here.board = Board(clock=WallClock())
    return _here.board


# Puts another board under the shims, and returns it.
def use(board: Board) -> Board:
    _here.board = board
    return board
