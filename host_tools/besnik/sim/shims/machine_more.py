# What of `machine` a reader rarely uses; machine.py loads it when it is asked for.

import os
import time

import machine

PIN_WAKE = 2
TIMER_WAKE = 4


class SoftSPI(machine.SPI):
    def __init__(self, baudrate=500000, **settings):
        machine.SPI.__init__(self, 1, baudrate, **settings)


# The task watchdog: cannot be stopped; a second WDT changes the timeout (ports/esp32).
# A shell beside this process looks for a sign of life in every period and kills without one.
class WDT:
    _started = False
    _timeout_ms = 0
    _fed_ms = 0

    def __init__(self, id=0, timeout=5000):
        if id != 0:
            raise ValueError("WDT(%d) doesn't exist" % id)
        if timeout < 1:
            raise ValueError("WDT timeout too short")
        WDT._timeout_ms = timeout
        if not machine.STATE:
            return
        WDT._sign()
        with open(machine.STATE + ".wdt", "w") as file:
            file.write("%d.%03d" % (timeout // 1000, timeout % 1000))
        if not WDT._started:
            WDT._started = True
            os.system(_WATCHDOG.replace("STATE", machine.STATE))

    def feed(self):
        if time.ticks_diff(time.ticks_ms(), WDT._fed_ms) > WDT._timeout_ms // 4:
            WDT._sign()

    @staticmethod
    def _sign():
        WDT._fed_ms = time.ticks_ms()
        if machine.STATE:
            open(machine.STATE + ".fed", "w").close()


_WATCHDOG = """(while sleep "$(cat 'STATE.wdt')" && kill -0 $PPID; do
  if [ -e 'STATE.fed' ]; then rm 'STATE.fed'
  else printf 3 >'STATE.cause'; kill -KILL $PPID; fi
done) >/dev/null 2>&1 &"""


# The clock of the machine the simulation runs on; it cannot be set.
class RTC:
    def __init__(self, id=0):
        pass

    def datetime(self, moment=None):
        if moment is not None:
            return None
        now = time.gmtime()
        return (now[0], now[1], now[2], now[6], now[3], now[4], now[5], 0)

    def init(self, moment):
        self.datetime(moment)


def soft_reset():
    machine._die(machine.SOFT_RESET)


def deepsleep(time_ms=0):
    time.sleep_ms(time_ms)
    machine._die(machine.DEEPSLEEP_RESET)


def lightsleep(time_ms=0):
    time.sleep_ms(time_ms)


def idle():
    pass


def freq(hz=None):
    return 160000000 if hz is None else None


def unique_id():
    return b"\x24\x6f\x28\xbe\x51\x14"


def disable_irq():
    return 0


def enable_irq(state):
    pass
