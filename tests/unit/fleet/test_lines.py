"""How far each of several boards is, at a terminal and in a file."""

from __future__ import annotations

import io

from besnik.fleet.lines import Lines


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_a_file_gets_what_happened_and_each_quarter_of_the_way() -> None:
    file = io.StringIO()
    lines = Lines(["a", "b"], file)
    lines.say("a", "who is it?")
    for percent in (0, 1, 24, 25, 30, 99, 100):
        lines.percent("b", "main.py", percent)
    assert file.getvalue().splitlines() == [
        "a: who is it?",
        "b:   0 % main.py",
        "b:  25 % main.py",
        "b:  99 % main.py",
        "b: 100 % main.py",
    ]


def test_a_terminal_has_one_line_a_board_redrawn_in_its_place() -> None:
    terminal = Terminal()
    lines = Lines(["a", "b"], terminal)
    lines.percent("a", "boot.py", 7)
    lines.say("b", f"FAILED: two\nlines and {'more' * 50}")
    *_, last = terminal.getvalue().split("\x1b[2A")
    shown = last.replace("\r\x1b[2K", "").splitlines()
    assert shown[0] == "a:   7 % boot.py"
    assert shown[1].startswith("b: FAILED: two lines and more")
    assert len(shown) == 2 and len(shown[1]) == 110
