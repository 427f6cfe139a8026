"""MicroPython for bare boards: which image is taken, what is refused, how it is written."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from besnik.fleet import image, image_file, images
from besnik.fleet.usb import BoardError
from support.esp_image import ESP32, ESP32_S3, rom_loader, write_image


@pytest.fixture
def loader(free_tcp_port: int) -> Iterator[str]:
    """The ROM loader of a bare ESP32."""
    with rom_loader(free_tcp_port) as port:
        yield port


def test_an_image_is_written_where_its_chip_begins(tmp_path: Path, loader: str) -> None:
    seen: list[int] = []
    image.write(loader, write_image(tmp_path / "i.bin"), lambda _, share: seen.append(share))
    assert seen[0] == 0 and seen[-1] == 100


def test_a_bare_chip_tells_which_it_is_and_its_number(loader: str) -> None:
    """The number is MicroPython's `machine.unique_id()`: both read the chip's base MAC address."""
    found = image.chip_on(loader)
    assert found.chip == image_file.CHIPS[ESP32]
    assert re.fullmatch("[0-9a-f]{12}", found.number)


def test_a_bare_board_gets_the_newest_plain_image_for_its_chip_that_was_tried(
    tmp_path: Path, loader: str
) -> None:
    with pytest.raises(BoardError, match=r"1\.24\.0 to 1\.29\.0 from https://micropython\.org"):
        images.taken(tmp_path, None, loader)
    kept = images.folder_of(tmp_path)
    kept.mkdir()
    write_image(kept / "ESP32_GENERIC_S3-20260901-v1.29.0.bin", ESP32_S3)
    for name in ("-20230426-v1.20.0", "-20250415-v1.25.0", "-20261101-v1.31.1"):
        write_image(kept / f"ESP32_GENERIC{name}.bin")
    other = write_image(kept / "ESP32_GENERIC-OTA-20260401-v1.28.0.bin")
    newest = write_image(kept / "ESP32_GENERIC-20251209-v1.27.0.bin")
    assert images.taken(tmp_path, None, loader) == newest
    newest.unlink()
    (kept / "ESP32_GENERIC-20250415-v1.25.0.bin").unlink()
    assert images.taken(tmp_path, None, loader) == other


def test_what_is_no_image_for_a_board_of_ours_is_refused(tmp_path: Path) -> None:
    found = image_file.chip_of(write_image(tmp_path / "s3.bin", ESP32_S3))
    assert found == image_file.Chip("esp32s3", 0)
    with pytest.raises(BoardError, match="a chip with id 0x63"):
        image_file.chip_of(write_image(tmp_path / "other.bin", 0x63))
    (tmp_path / "page.bin").write_text("<!doctype html>" * 10)
    with pytest.raises(BoardError, match=r"is no image.*micropython\.org"):
        image_file.chip_of(tmp_path / "page.bin")
    with pytest.raises(BoardError, match="No such file"):
        image_file.chip_of(tmp_path / "absent.bin")


@pytest.mark.parametrize("chip", [ESP32, ESP32_S3])
def test_an_image_that_is_not_whole_is_refused_before_a_board_is_erased(
    tmp_path: Path, chip: int
) -> None:
    file = write_image(tmp_path / "whole.bin", chip, bytes(range(256)) * 40)
    whole = file.read_bytes()
    image_file.check(file)
    for cut in (100, len(whole) // 2, len(whole) - 5_000, len(whole) - 1):
        file.write_bytes(whole[:cut])
        with pytest.raises(BoardError, match="cut off"):
            image_file.check(file)
    damaged = bytearray(whole)
    damaged[-3_000] ^= 1
    file.write_bytes(damaged)
    with pytest.raises(BoardError, match="is damaged"):
        image_file.check(file)
    # The .app-bin for updates: the application alone.
    file.write_bytes(whole[0x10000 - image_file.CHIPS[chip].offset :])
    with pytest.raises(BoardError, match=r"not the \.app-bin"):
        image_file.check(file)
