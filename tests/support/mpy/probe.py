# Rides along with a reader in the Unix port: tells a test its heap and its outbox, and moves its
# clocks. Arguments: the port where the test listens, then those of the simulator's start script.
#
# "heap" answers with the free bytes after a collection, "outbox" with the number of taps on flash,
# "leap N" lets N ms pass at once, "wall N" moves the clock of day by N s.

import gc
import sys
import time as real

# What os.ilistdir() says of a folder.
_FOLDER = 0x4000
_leapt_ms = 0
_moved_s = 0


# In place of the module time. Emulated time runs ahead of real time, never behind it: asyncio's
# queue, written in C, takes tasks by the real clock, and one of its past is simply due.
class _Time:
    def ticks_ms(self):
        return real.ticks_ms() + _leapt_ms

    def time(self):
        return real.time() + _moved_s

    def gmtime(self, at_s=None):
        return real.gmtime(self.time() if at_s is None else at_s)

    localtime = gmtime

    def __getattr__(self, name):
        return getattr(real, name)


sys.modules["time"] = _Time()

import asyncio  # noqa: E402 - it has to find the clock above
import os  # noqa: E402


# How many files there are in a folder and below it.
def _files(folder):
    try:
        entries = list(os.ilistdir(folder))
    except OSError:
        return 0
    return sum(_files(folder + "/" + e[0]) if e[1] & _FOLDER else 1 for e in entries)


def _answer(words):
    global _leapt_ms, _moved_s
    if words[0] == "heap":
        gc.collect()
        return gc.mem_free()
    if words[0] == "outbox":
        return _files("outbox")
    if words[0] == "leap":
        _leapt_ms += int(words[1])
    elif words[0] == "wall":
        _moved_s += int(words[1])
    else:
        raise ValueError(words[0])
    return 0


async def _serve(port):
    lines, replies = await asyncio.open_connection("127.0.0.1", port)
    while True:
        line = await lines.readline()
        if not line:
            return
        replies.write(b"%d\n" % _answer(line.decode().split()))
        await replies.drain()


_serving = asyncio.create_task(_serve(int(sys.argv[1])))  # noqa: RUF006 - it lasts as long as all
sys.argv[:] = sys.argv[2:]
with open(sys.argv[0]) as _file:  # noqa: PTH123 - MicroPython has no pathlib
    _source = _file.read()
__file__ = sys.argv[0]
exec(compile(_source, __file__, "exec"))
