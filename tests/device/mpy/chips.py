# Flash chips in memory with littlefs on them, for tests in MicroPython.

import io
import os

import vfs
from flashchip import BLOCK, Flash

PLACE = "/chip"
OUTBOX = PLACE + "/outbox"


# A chip that may refuse to be read or written.
class Chip(Flash):
    def __init__(self, content):
        self.is_readable = self.is_writable = True
        Flash.__init__(self, io.BytesIO(content))

    def readblocks(self, block, buffer, offset=0):
        if not self.is_readable:
            raise OSError(5)
        Flash.readblocks(self, block, buffer, offset)

    def change(self, place, data, times=1):
        if not self.is_writable:
            raise OSError(5)
        Flash.change(self, place, data, times)

    # All that is on it.
    def content(self):
        return self._store.getvalue()


# Writes down every erase and program operation, as its place and data.
class Recorder(Chip):
    def __init__(self, content):
        self.log = []
        Chip.__init__(self, content)

    def change(self, place, data, times=1):
        self.log.append((place, bytes(data) * times))
        Chip.change(self, place, data, times)


# An empty file system of so many blocks, mounted.
def fresh(blocks=64):
    chip = Chip(b"\xff" * (BLOCK * blocks))
    vfs.VfsLfs2.mkfs(chip)
    mount(chip)
    return chip


# Mounts the chip in place of the last one, as a restart does. Returns it.
def mount(chip):
    unmount()
    vfs.mount(vfs.VfsLfs2(chip), PLACE)
    return chip


def unmount():
    try:
        vfs.umount(PLACE)
    except OSError:
        pass  # nothing was


# The paths of all files under a folder.
def files(folder):
    found = []
    for entry in os.ilistdir(folder):
        path = folder + "/" + entry[0]
        found += files(path) if entry[1] == 0x4000 else [path]
    return found
