# firmware/board.py: whom the clock asks for the time.

import ntptime
from firmware.board import Clock


# A network in which one server answers.
class _Network:
    def __init__(self, alive):
        self.asked = []
        self._alive = alive

    def settime(self):
        self.asked.append(ntptime.host)
        if ntptime.host != self._alive:
            raise OSError(-202)


def test_each_time_server_is_asked_in_its_turn_until_one_answers():
    network = _Network("third")
    ntptime.settime = network.settime
    clock = Clock(["first", "second", "third"])
    assert [clock.set_from_network() for _ in range(4)] == [False, False, True, True]
    assert network.asked == ["first", "second", "third", "third"]
    assert clock.quality == 2
