class NVS:
    def __init__(self, _):
        pass

    # Boots were counted; nothing else was ever kept.
    def get_i32(self, key):
        if key == "boots":
            return 1
        raise OSError(-0x1102)
