# The virtual counter's hardware: one plain-Python model for MicroPython and CPython alike.
