STA_IF = 0


class WLAN:
    def __init__(self, _):
        pass
