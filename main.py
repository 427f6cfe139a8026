# Runs the reader. What fails beyond repair is printed for the technician, and the chip starts anew:
# the taps are on flash, nothing is lost by it.

import sys
import time

from firmware import app, board

try:
    app.main(board)
except Exception as error:
    sys.print_exception(error)
    time.sleep(5)
    board.reset()
