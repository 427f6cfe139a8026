"""An image of MicroPython, looked at before a board is erased for it.

It is a part of a flash from where the chip begins: loader, partition table, application, as in
"Partition Tables" and "App Image Format" of Espressif's ESP-IDF Programming Guide.
"""

from __future__ import annotations

import hashlib
import struct
from collections.abc import Iterator
from pathlib import Path
from typing import Final, NamedTuple

from besnik.fleet.usb import BoardError

WHERE_TO_GET: Final = "https://micropython.org/download/?port=esp32"


class Chip(NamedTuple):
    """A chip a reader can be: esptool's name, and where in its flash an image begins."""

    name: str
    offset: int


# By the chip id in the image's header (esp_image_format.h, esp_image_header_t, bytes 12 and 13).
# The offset is that of the chip's second-stage loader, with which MicroPython's images begin.
CHIPS: Final = {
    0x0000: Chip("esp32", 0x1000),
    0x0002: Chip("esp32s2", 0x1000),
    0x0005: Chip("esp32c3", 0x0),
    0x0009: Chip("esp32s3", 0x0),
    0x000D: Chip("esp32c6", 0x0),
}
# Magic, number of segments, chip, whether a SHA-256 is at the end.
_HEADER: Final = struct.Struct("<BB10xH9xB")
_SEGMENT: Final = struct.Struct("<4xI")
_MAGIC: Final = 0xE9
_TABLE: Final = 0x8000
_TABLE_BYTES: Final = 0xC00
# Magic, type, where it is in the flash.
_PARTITION: Final = struct.Struct("<HBxI24x")
_PARTITION_MAGIC: Final = 0x50AA
_APPLICATION: Final = 0
# The last byte of so many is the checksum (esp_image_format.h).
_ROUNDED_TO: Final = 16


def chip_of(image: Path) -> Chip:
    """Return the chip an image is for; BoardError if it is no image, or for no chip of ours."""
    try:
        with image.open("rb") as file:
            header = file.read(_HEADER.size)
    except OSError as error:
        raise BoardError(f"{image}: cannot be read: {error.strerror}") from error
    if len(header) < _HEADER.size or header[0] != _MAGIC:
        raise BoardError(
            f"{image}: is no image for an ESP32: take the .bin of your board from {WHERE_TO_GET}"
        )
    chip = _HEADER.unpack(header)[2]
    if chip not in CHIPS:
        names = ", ".join(known.name for known in CHIPS.values())
        raise BoardError(f"{image}: is for a chip with id {chip:#x}; a reader can be {names}")
    return CHIPS[chip]


def check(image: Path) -> Chip:
    """Return the chip an image is for; BoardError too if it is not a whole one, undamaged."""
    chip = chip_of(image)
    data = image.read_bytes()
    place = next(_applications(data[_TABLE - chip.offset :]), None)
    if place is None:
        raise BoardError(
            f"{image}: holds no partition table: it is cut off, or made for updates; take the .bin"
            f" (not the .app-bin) from {WHERE_TO_GET}"
        )
    if not _is_whole(data[place - chip.offset :]):
        raise BoardError(
            f"{image}: is damaged or cut off at {len(data):,} bytes: load it again from"
            f" {WHERE_TO_GET}"
        )
    return chip


def _applications(table: bytes) -> Iterator[int]:
    """Yield where the applications of a partition table are in the flash."""
    size = _PARTITION.size
    for start in range(0, min(len(table), _TABLE_BYTES) // size * size, size):
        magic, kind, place = _PARTITION.unpack_from(table, start)
        if magic != _PARTITION_MAGIC:
            return
        if kind == _APPLICATION:
            yield place


def _is_whole(application: bytes) -> bool:
    try:
        magic, segments, _, has_digest = _HEADER.unpack_from(application)
        end = _HEADER.size
        for _ in range(segments):
            end += _SEGMENT.size + _SEGMENT.unpack_from(application, end)[0]
    except struct.error:
        return False
    end += _ROUNDED_TO - end % _ROUNDED_TO
    if magic != _MAGIC or not segments or end > len(application):
        return False
    digest = hashlib.sha256(application[:end]).digest()
    return not has_digest or application[end : end + len(digest)] == digest
