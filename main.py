# Runs the reader. What fails beyond repair is printed for the technician, and the chip starts anew:
# the taps are on flash, nothing is lost by it.

import asyncio
import sys
import time

from firmware import app, board

try:
    reader = app.start(board)
    app.forget("app")
    del app
    asyncio.run(reader.run())
except KeyboardInterrupt:
    # A technician at the REPL: the watchdog cannot be stopped, but it can wait.
    board.watchdog(3600000)
    raise
except Exception as error:
    sys.print_exception(error)
    time.sleep(5)
    board.reset()
