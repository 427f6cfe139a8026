"""Images of MicroPython for an ESP32, as far as the host looks into them, and a chip to take them.

Nothing runs in them; the chip is esptool's own mock of the loader in its ROM.
"""

from __future__ import annotations

import hashlib
import struct
import subprocess
import sysconfig
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

_TABLE: Final = 0x8000
_APPLICATION: Final = 0x10000
_SIZE: Final = 0x1F0000
ESP32, ESP32_S3 = 0x0000, 0x0009
_OFFSETS: Final = {ESP32: 0x1000, ESP32_S3: 0}


def write_image(file: Path, chip: int = ESP32, content: bytes = bytes(4096)) -> Path:
    """Write an image with loader, partition table and an application of one segment."""
    offset = _OFFSETS.get(chip, 0)
    loader = _header(chip, segments=0, has_digest=False)
    table = struct.pack("<HBBII16sI", 0x50AA, 1, 2, 0x9000, 0x6000, b"nvs", 0)
    table += struct.pack("<HBBII16sI", 0x50AA, 0, 0, _APPLICATION, _SIZE, b"factory", 0)
    image = loader.ljust(_TABLE - offset, b"\xff") + table
    file.write_bytes(image.ljust(_APPLICATION - offset, b"\xff") + _application(chip, content))
    return file


def _header(chip: int, *, segments: int, has_digest: bool) -> bytes:
    return struct.pack("<BBBBI4xHB8xB", 0xE9, segments, 2, 0x20, 0, chip, 0, has_digest)


def _application(chip: int, content: bytes) -> bytes:
    data = _header(chip, segments=1, has_digest=True)
    data += struct.pack("<II", 0x3F400020, len(content)) + content
    checksum = 0xEF
    for byte in content:
        checksum ^= byte
    data += bytes(15 - len(data) % 16) + bytes((checksum,))
    return data + hashlib.sha256(data).digest()


@contextmanager
def rom_loader(tcp_port: int) -> Iterator[str]:
    """Run the loader of a bare ESP32; yield the port for esptool."""
    mock = str(Path(sysconfig.get_path("scripts")) / "esp32-mock-bootloader")
    port = str(tcp_port)
    quiet = subprocess.DEVNULL
    subprocess.run([mock, "start", "--chip", "esp32", "--port", port], check=True, stdout=quiet)
    try:
        yield f"socket://127.0.0.1:{port}"
    finally:
        subprocess.run([mock, "stop", "--port", port], check=True, stdout=quiet)
