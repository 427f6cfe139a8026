# Runs first, on every start: counts the boot. The number is the first half of every tap's id.

from firmware import board

board.count_boot()
