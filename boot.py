# Runs first, on every start, and is what no update replaces: counts the boot, chooses the slot, /a
# or /b, whose application runs, and puts it at the head of sys.path, where main.py looks. What it
# has to remember is in NVS, each a single number, because only that is written whole wherever the
# power goes:
#   boots   the first half of every tap's id
#   slot    the release in use: its number * 16 + bad boots * 2 + its slot, 0 for a and 1 for b;
#           while another is tried, power cuts instead of bad boots
#   trial   the release to be tried at the next start: its number * 2 + its slot; negative while it
#           is; 0 for none
#   back    the number of a release that failed, on trial or later, until the host knows
# A boot is bad until the application says that it has run well for a minute (board.settle).

import os
import random
import sys

import esp32
import machine

_SOFT_RESET = 5  # machine.SOFT_RESET: somebody at the serial line; main.py may not even run
_POWER_ON = 1  # machine.PWRON_RESET
_CUTS = 3
_BAD_FOR_OTHER = 3
_BAD_FOR_NONE = 6

_nvs = esp32.NVS("besnik")


def _stored(key):
    try:
        return _nvs.get_i32(key)
    except OSError:
        return 0


def _store(key, value):
    try:
        _nvs.set_i32(key, value)
        _nvs.commit()
    except OSError as error:
        sys.print_exception(error)  # a reader that cannot count still reads cards


# Of slot 0 or 1, the program that starts it. It is the last to be written and the first to go: a
# slot without it is no slot.
def _program(slot):
    return "ab"[slot] + "/main.py"


def _is_there(slot):
    try:
        os.stat(_program(slot))
        return True
    except OSError:
        return False


# The slot of a release on trial. It is given up when the reader starts anew before it was kept;
# but the power may go for reasons of its own, three times.
def _tried(state):
    trial = _stored("trial")
    number, slot = abs(trial) >> 1, abs(trial) & 1
    if not trial:
        return None
    if (number, slot) != (state >> 4, state & 1):  # else it was kept, and the power went then
        is_new = trial > 0
        is_cut = machine.reset_cause() == _POWER_ON and state >> 1 & 7 < _CUTS
        if _is_there(slot) and (is_new or is_cut):
            _store("slot", (state & -15) if is_new else state + 2)
            _store("trial", -abs(trial))
            return slot
        if _is_there(slot):
            os.remove(_program(slot))
        _store("slot", state & -15)
        _store("back", number)
    _store("trial", 0)
    return None


# The slot to run, 0 or 1, None when nobody has finished this reader; and whether it is in safe
# mode, which the next start ends, so that a shop with a bad plug is not left without.
def _chosen():
    state = _stored("slot")
    slot, bad = state & 1, state >> 1 & 7
    if machine.reset_cause() == _SOFT_RESET:
        trial = _stored("trial")
        return (-trial & 1 if trial < 0 else slot), False
    tried = _tried(state)
    if tried is not None:
        return tried, False
    state = _stored("slot")
    bad = state >> 1 & 7
    if bad == _BAD_FOR_OTHER and _is_there(1 - slot):
        _store("back", state >> 4)
        slot = 1 - slot
    elif not _is_there(slot):
        slot = 1 - slot
    if not _is_there(slot):
        return None, False
    is_safe = bad >= _BAD_FOR_NONE
    _store("slot", state >> 4 << 4 | (0 if is_safe else bad + 1) << 1 | slot)
    return slot, is_safe


# On a new or erased chip the count begins anywhere: the board before it counted too, under the same
# reader's name, and a tap whose id comes again is lost (firmware/outbox.py).
_store("boots", (_stored("boots") or random.getrandbits(16)) + 1)
_slot, is_safe = _chosen()
if _slot is not None:
    sys.path.insert(0, "ab"[_slot] + "/lib")
    sys.path.insert(0, "ab"[_slot])
# A running reader has no room for what is done.
for _name in [name for name in globals() if name[0] == "_" != name[1]]:
    del globals()[_name]
