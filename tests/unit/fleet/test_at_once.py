"""What several boards on the table ask of the same files at once."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from besnik import broker
from besnik.fleet import boards
from besnik.fleet.usb import BoardError

READERS = [f"counter-{number}" for number in range(1, 21)]


def test_each_reader_keeps_its_password(tmp_path: Path) -> None:
    with ThreadPoolExecutor(len(READERS)) as pool:
        given = list(pool.map(lambda name: broker.passwords(tmp_path, [name])[name], READERS))
    kept = broker.passwords(tmp_path, [])
    assert [kept[name] for name in READERS] == given


def test_each_board_is_a_reader_of_its_own_and_stays_it(tmp_path: Path) -> None:
    def name(chip: int) -> str:
        return boards.reader_on(tmp_path, f"{chip:012x}", "counter")

    with ThreadPoolExecutor(len(READERS)) as pool:
        names = list(pool.map(name, range(len(READERS))))
    assert sorted(names) == sorted(READERS)
    assert [name(chip) for chip in range(len(READERS))] == names


def test_a_new_board_needs_a_name_and_a_replaced_one_gives_its_up(tmp_path: Path) -> None:
    with pytest.raises(BoardError, match="flash --all counter"):
        boards.reader_on(tmp_path, "24", "")
    boards.remember(tmp_path, "24", "till-1")
    assert boards.reader_on(tmp_path, "24", "") == "till-1"
    boards.remember(tmp_path, "30", "till-1")
    assert boards.reader_on(tmp_path, "30", "") == "till-1"
    assert boards.reader_on(tmp_path, "24", "till") == "till-2"
