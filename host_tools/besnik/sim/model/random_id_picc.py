# A card or phone with a random ID: four new bytes, the first 08, in every field (ISO/IEC 14443-3
# 6.5.4). Under it the same application as ever.

from .isodep_picc import Application, IsoDepPicc
from .noise import Rng


class RandomIdPicc(IsoDepPicc):
    random = True

    def __init__(self, app: Application, ats: bytes, atqa: "bytes | None" = None, seed: int = 1):
        self._rng = Rng(seed)
        IsoDepPicc.__init__(self, b"\x08" + self._rng.octets(3), app, ats, 0x20, atqa)

    def power_up(self, now_ns: int) -> None:
        self.set_uid(b"\x08" + self._rng.octets(3))
        IsoDepPicc.power_up(self, now_ns)
