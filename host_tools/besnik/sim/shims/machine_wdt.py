# The watchdog of `machine`; machine.py loads it when it is asked for.

import os
import time

import machine


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
            file.write("%d %03d\n" % (timeout // 1000, timeout % 1000))
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


# It keeps none of the reader's files and sockets open, so that these end with the reader, and
# looks every second whether it still has one.
_WATCHDOG = """(exec 3<&- 4<&- 5<&- 6<&- 7<&- 8<&- 9<&-
while read s ms <'STATE.wdt'; sleep 0.$ms
  for _ in $(seq $s); do kill -0 $PPID || exit; sleep 1; done; kill -0 $PPID; do
  if [ -e 'STATE.fed' ]; then rm 'STATE.fed'
  else printf 3 >'STATE.cause'; kill -KILL $PPID; fi
done) >/dev/null 2>&1 &"""
