# The port's `ntptime`, which asks nobody here.


def settime():
    raise OSError(-202)
