# Puts the files of a release, which update.py has loaded, in the places of those of the release
# before, and leaves it to boot.py to be tried. Loaded for that alone.
#
# main.py, without which a slot is none, goes first and comes last. Wherever the power goes between,
# the host's order is repeated, and this goes on.

import asyncio
import os

from micropython import const

_PROGRAM = const("main.py")
_MANIFEST = const("manifest")
_NEW = const(".new")
_PAUSE_MS = const(5)  # for cards: littlefs may erase a block for each name


# reader: reader.Reader. number: of the release.
class Errand:
    def __init__(self, reader, number):
        self._reader = reader
        self._number = number
        self._slot = 1 - (reader.board.stored("slot") & 1)
        self._folder = "ab"[self._slot] + "/"

    def on_message(self, topic, payload):
        pass

    async def run(self):
        try:
            await self._swap()
        except OSError:
            await self._say("refused", "hash")
            return ("quiet", None)
        await self._say("ready", "")
        self._reader.board.store("trial", self._number << 1 | self._slot)
        self._reader.is_leaving = True
        return None

    async def _say(self, step, why):
        text = '{"n":%d,"s":"%s","why":"%s","p":100}' % (self._number, step, why)
        await self._reader.link.publish(self._reader.topic + "update/state", text)

    async def _swap(self):
        folder = self._folder
        program, manifest = folder + _PROGRAM, folder + _MANIFEST
        if not _exists(program + _NEW):
            os.rename(program, program + _NEW)
        elif _exists(program):
            os.remove(program)
        wanted = [manifest + _NEW, program + _NEW]
        for path in _paths(manifest + _NEW, folder):
            if path != program:
                wanted.append(path)
                if _exists(path + _NEW):
                    os.rename(path + _NEW, path)
                    await asyncio.sleep_ms(_PAUSE_MS)
        await _clear(folder, wanted)
        os.rename(manifest + _NEW, manifest)
        os.rename(program + _NEW, program)


# Removes all but what is wanted. Each folder is listed to its end before: only that closes it, and
# littlefs goes on through the memory of one that was not closed (extmod/vfs_lfsx.c, ilistdir has no
# finaliser).
async def _clear(folder, wanted):
    for name, kind in [entry[:2] for entry in os.ilistdir(folder[:-1])]:
        path = folder + name
        if kind == 0x4000:
            await _clear(path + "/", wanted)
            try:
                os.rmdir(path)
            except OSError:
                pass  # something in it is wanted
        elif path not in wanted:
            os.remove(path)
            await asyncio.sleep_ms(_PAUSE_MS)


# Of the files of a release, in a slot.
def _paths(manifest, folder):
    with open(manifest) as file:
        for line in file:
            if line.startswith("file "):
                yield folder + line.split(" ")[1]


def _exists(path):
    try:
        os.stat(path)
        return True
    except OSError:
        return False
