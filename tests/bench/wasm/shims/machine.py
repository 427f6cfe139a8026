# The least that lets a reader be built where there is no board; it is subtracted from the figure.


class Pin:
    OUT = 1

    def __init__(self, *_, **__):
        pass

    def __call__(self, *_):
        return 0


class PWM(Pin):
    def freq(self, _):
        pass

    def duty_u16(self, _):
        pass


class SPI(Pin):
    pass


def reset_cause():
    return 1
