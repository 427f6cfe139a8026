# Runs in MicroPython: what taps cost the flash, on its own littlefs and a chip that counts.

from chips import OUTBOX, fresh
from firmware.outbox import Outbox

BLOCKS = 128
WAITING = 256
CROWD = 64
TAPS = 2000
MESSAGE = b'{"v":1,"id":"%s","k":"uid","d":"04A1B2C3D4E580","t":1795300000,"tq":2,"q":0}'


class Till:
    def __init__(self):
        self._chip = fresh(BLOCKS)
        self._outbox = Outbox(OUTBOX, 1, WAITING + CROWD)

    # Prints what each of so many steps takes: erases, program operations and their bytes, reads and
    # their bytes.
    def count(self, what, step, count):
        chip = self._chip
        for _ in range(count):
            chip.count_anew()
            step()
            print(
                what,
                chip.erases,
                chip.programs,
                chip.bytes_programmed,
                chip.reads,
                chip.bytes_read,
            )

    def put(self):
        tap_id = self._outbox.next_id()
        assert self._outbox.put(tap_id, MESSAGE % tap_id.encode())

    def put_and_remove(self):
        self.put()
        assert self._outbox.remove(self._outbox.oldest())

    def drain(self):
        tap_id = self._outbox.oldest()
        assert self._outbox.message(tap_id) and self._outbox.remove(tap_id)


def main():
    till = Till()
    till.count("answered", till.put_and_remove, TAPS)
    till.count("stored", till.put, WAITING)
    # All of them in the last folder.
    till.count("crowded", till.put, CROWD)
    till.count("drained", till.drain, WAITING)


main()
