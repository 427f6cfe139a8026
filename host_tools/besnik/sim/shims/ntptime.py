# The ESP32 port's `ntptime`: the clock is that of the machine the simulation runs on.

import time as _time

from wire import line

host = "pool.ntp.org"
timeout = 1


# Seconds since the port's epoch; OSError when the Wi-Fi is down (a failed look-up is -202).
def time():
    if not line().wifi():
        raise OSError(-202)
    return int(_time.time())


def settime():
    time()
