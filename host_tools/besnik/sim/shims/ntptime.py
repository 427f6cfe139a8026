# The ESP32 port's `ntptime`: the clock is that of the machine the simulation runs on.

import time as _time

from wire import line

host = "pool.ntp.org"
timeout = 1


# Seconds since the port's epoch; OSError when the Wi-Fi is down (a failed look-up is -202) or no
# time server answers (ETIMEDOUT).
def time():
    network = line().wifi()
    if network & 0x7F <= 1:
        raise OSError(-202)
    if network & 0x80:
        raise OSError(116)
    return int(_time.time())


def settime():
    time()
