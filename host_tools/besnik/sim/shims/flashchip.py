# The flash chip of a reader, for MicroPython's own littlefs: blocks of 4,096 bytes as on an ESP32,
# NOR's rules, kept in a file over restarts. It can lose its power in the middle of anything.

import os
import sys

import vfs

BLOCK = 4096
# What the data partition of the stock 4 MiB image has.
BLOCKS = 512
# Erased in pieces: this sits in the reader's heap.
_ERASED = b"\xff" * 256
_PLACE = "/flash"
# What an ESP32 has in its image, and what these load later.
_IN_IMAGE = (
    "machine_more",
    "machine_wdt",
    "network",
    "network_more",
    "esp32_more",
    "esp32",
    "ntptime",
    "umqtt.simple",
)
# They keep the chip's state in files of the host.
_WITH_STATE = ("machine", "machine_wdt", "esp32")


# A block device in a file-like store of whole blocks. reads, erases and programs count operations,
# bytes_read and bytes_programmed their sizes.
class Flash:
    def __init__(self, store):
        self._store = store
        self._left = 0
        self._is_torn = False
        self.count_anew()

    # The power goes at the erase or program operation of that number, counted from 1 and from now:
    # before it, or when half of it is done.
    def lose_power(self, operation, is_torn):
        self._left = operation
        self._is_torn = is_torn

    def count_anew(self):
        self.reads = self.bytes_read = self.erases = self.programs = self.bytes_programmed = 0

    def readblocks(self, block, buffer, offset=0):
        self.reads += 1
        self.bytes_read += len(buffer)
        self._store.seek(block * BLOCK + offset)
        self._store.readinto(buffer)

    def writeblocks(self, block, data, offset=0):
        self.programs += 1
        self.bytes_programmed += len(data)
        place = block * BLOCK + offset
        there = bytearray(len(data))
        self._store.seek(place)
        self._store.readinto(there)
        # Programming only clears bits.
        bits = int.from_bytes(there, "big") & int.from_bytes(data, "big")
        self.change(place, bits.to_bytes(len(data), "big"))

    def ioctl(self, op, argument):
        if op == 4:
            self._store.seek(0, 2)
            return self._store.tell() // BLOCK
        if op == 5:
            return BLOCK
        if op == 6:
            self.erases += 1
            self.change(argument * BLOCK, _ERASED, BLOCK // len(_ERASED))
        return 0

    # What every erase and every program operation comes to: so many times that data.
    def change(self, place, data, times=1):
        self._left -= 1
        if self._left == 0 and not self._is_torn:
            self.power_off()
        if self._left == 0:
            data, times = (data, times // 2) if times > 1 else (data[: len(data) // 2], 1)
        self._store.seek(place)
        for _ in range(times):
            self._store.write(data)
        if self._left == 0:
            self.power_off()

    # Everything ends here, as for the chip.
    def power_off(self):
        while True:
            os.system("kill -KILL $PPID")


# Loads what an ESP32 has in its image, before `enter` takes it out of sight.
def load():
    for name in _IN_IMAGE:
        __import__(name)


# Makes the image the reader's only file system, with the staged flash folder in it. cut: when the
# power goes, "17" or "17 torn", counted from the reader's start; None: never.
def enter(image, folder, cut):
    flash = Flash(_opened(image))
    vfs.mount(vfs.VfsLfs2(flash), _PLACE)
    _copy(folder, _PLACE)
    vfs.umount(_PLACE)
    _leave_host()
    vfs.mount(vfs.VfsLfs2(flash), "/")
    os.chdir("/")
    if cut:
        number, _, torn = cut.partition(" ")
        flash.lose_power(int(number), bool(torn))


# Takes the host's files out of the reader's sight: nobody who works on a board can read or change
# them. What it needs of them was loaded before.
def _leave_host():
    host = vfs.VfsPosix()
    for module in [sys.modules[name] for name in _WITH_STATE if name in sys.modules]:
        module.open = lambda path, mode="r": host.open(path, mode)
        module.rename = host.rename
        module.remove = host.remove
    vfs.umount("/")


# The image's file; an empty file system in it when it is new.
def _opened(image):
    try:
        os.stat(image)
    except OSError:
        with open(image, "w+b") as store:
            for _ in range(BLOCKS * BLOCK // len(_ERASED)):
                store.write(_ERASED)
            vfs.VfsLfs2.mkfs(Flash(store))
    return open(image, "r+b")


# Brings every file that differs; what is there besides stays.
def _copy(source, target):
    for entry in os.ilistdir(source):
        name, kind = entry[:2]
        there, here = source + "/" + name, target + "/" + name
        if kind == 0x4000:
            try:
                os.mkdir(here)
            except OSError:
                pass
            _copy(there, here)
        elif _content(there) != _content(here):
            with open(here, "wb") as file:
                file.write(_content(there))


def _content(path):
    try:
        with open(path, "rb") as file:
            return file.read()
    except OSError:
        return None
