# Starts a reader in the Unix port as the ESP32 port does: boot.py, then main.py, both in the
# main namespace, with the flash folder as working directory and root of the search path. With an
# image, the folder is only what is flashed: the reader works on littlefs in the image, at / as on a
# board, and sees no file of the host.

import os
import sys


def _run(name, namespace):
    try:
        with open(name) as file:
            source = file.read()
    except OSError:
        return
    exec(compile(source, name, "exec"), namespace)


def start(flash, shims):
    try:
        _mount(flash, shims)
    finally:
        _tell_ready()
    namespace = {"__name__": "__main__"}
    try:
        _run("boot.py", namespace)
    except Exception as error:
        # The ESP32 prints it and goes on to main.py.
        sys.print_exception(error)
    if os.getenv("BESNIK_SIM_MAIN") != "":
        _run("main.py", namespace)


def _mount(flash, shims):
    image = os.getenv("BESNIK_SIM_IMAGE")
    if image:
        sys.path[:] = [shims, ".frozen"]
        from flashchip import enter, load

        load()
        enter(image, flash, os.getenv("BESNIK_SIM_CUT"))
    else:
        os.chdir(flash)
    # mip installs into the first that ends so.
    sys.path[:] = ["", ".frozen", "/lib"] if image else ["", shims, ".frozen", "lib"]
    sys.argv[:] = []
    # An ESP32 has it in its image; here it is loaded while the heap is in one piece.
    __import__("machine_wdt")


# From here on Ctrl-C interrupts the program, as on a board.
def _tell_ready():
    descriptor = os.getenv("BESNIK_SIM_READY")
    if descriptor:
        with open(int(descriptor), "wb") as pipe:
            pipe.write(b"1")


start(sys.argv[1], __file__.rsplit("/", 1)[0])
