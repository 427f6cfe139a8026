# Starts a virtual board in the Unix port: the flash folder becomes the root, then boot.py and
# main.py run as on an ESP32. Arguments: the folder, and 1 to run main.py too.

import os
import sys

import esp32
import machine
import machine_more
import machine_wdt
import network
import vfs

# Loaded while the host's files can still be seen.
MODULES = (esp32, machine, machine_more, machine_wdt, network)


def _run(name):
    try:
        with open(name) as file:  # noqa: PTH123 - MicroPython has no pathlib
            source = file.read()
    except OSError:
        return
    try:
        exec(compile(source, name, "exec"), globals())
    except Exception as error:
        sys.print_exception(error)


_flash, _with_main = sys.argv[1:]
vfs.umount("/")
vfs.mount(vfs.VfsPosix(_flash), "/")
os.chdir("/")
sys.path[:] = ["", ".frozen", "/lib"]
sys.argv[:] = []
_run("boot.py")
if _with_main == "1":
    _run("main.py")
