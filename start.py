# On the reader this is main.py: it runs the application in the slot that boot.py put at the head of
# sys.path, and no update replaces it. What fails beyond repair is printed for the technician, and
# the chip starts anew: the taps are on flash, nothing is lost by it, and boot.py counts.

import sys
import time

import machine

_AT_WORK_MS = 3600000

try:
    try:
        if globals().get("is_safe"):
            # Six bad boots: the serial line only, to be provisioned or flashed anew.
            from firmware import board, provision

            provision.serve(board, "six starts have failed")
        elif sys.path[0]:
            execfile(sys.path[0] + "/main.py")
    except Exception as error:
        sys.print_exception(error)
        time.sleep(5)
        machine.reset()
except KeyboardInterrupt:
    # A technician at the REPL: the watchdog cannot be stopped, but it can wait.
    machine.WDT(timeout=_AT_WORK_MS)
    raise
