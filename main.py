# Runs the reader. What fails beyond repair is printed for the technician, and the chip starts anew:
# the taps are on flash, nothing is lost by it.

import asyncio
import sys
import time

from firmware import app, board

try:
    reader = app.start(board)
    app.forget("firmware.app")
    del app
    asyncio.run(reader.run())
except Exception as error:
    sys.print_exception(error)
    time.sleep(5)
    board.reset()
