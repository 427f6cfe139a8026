# In MicroPython: the old driver of the device tests, its board being behind serve-spi's socket,
# which BESNIK_SIM_SPI names. Prints the UID.

import time

from oldreader import OK, OldReader
from wire import line


class Clock:
    def advance_us(self, us):
        time.sleep_us(us)


# What OldReader asks of a board.
class FarBoard:
    def __init__(self):
        self.pins = {"cs": 5, "rst": 22}
        self.clock = Clock()
        self.pin_write = line().pin_write
        self.spi_exchange = line().spi_exchange


reader = OldReader(FarBoard())
reader.init()
status, atqa, bits = reader.request()
assert status == OK and bits == 16, (status, bits)
uid, sak = reader.select()
print("".join(f"{byte:02X}" for byte in uid))
