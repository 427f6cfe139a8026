# Disturbance on the air, frame by frame, from a seeded generator: the same run every time.

PARITY = 1
PROTOCOL = 2
LOST = 3
ALL_KINDS = (PARITY, PROTOCOL, LOST)


# A linear congruential generator (numerical recipes constants): `random` differs between
# MicroPython and CPython, and a fault seen in one must be seen in the other.
class Rng:
    def __init__(self, seed: int = 1):
        self.state = seed & 0xFFFFFFFF

    def below(self, limit: int) -> int:
        self.state = (self.state * 1664525 + 1013904223) & 0xFFFFFFFF
        return (self.state >> 8) % limit

    def octets(self, count: int) -> bytes:
        return bytes(self.below(256) for _ in range(count))


# `per_mille` of the frames that cards answer are spoilt in one of the ways of `kinds`:
# PARITY and PROTOCOL reach the reader as errors, LOST is a command the card did not understand.
class Noise:
    def __init__(self, seed: int = 1):
        self.rng = Rng(seed)
        self.per_mille = 0
        self.kinds: tuple[int, ...] = ALL_KINDS

    def set(
        self, per_mille: int, kinds: tuple[int, ...] = (PARITY, PROTOCOL, LOST), seed: int = 1
    ) -> None:
        self.per_mille = per_mille
        self.kinds = tuple(kinds)
        self.rng = Rng(seed)

    # 0 for a clean frame, else the kind of fault.
    def strike(self) -> int:
        if not self.per_mille or self.rng.below(1000) >= self.per_mille:
            return 0
        return self.kinds[self.rng.below(len(self.kinds))]
