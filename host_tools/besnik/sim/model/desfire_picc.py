# MIFARE DESFire EV2 and EV3, as far as a loyalty reader talks to them: applications, mutual
# authentication, the real UID behind a random ID. Commands and codes are those of NXP's data sheet
# MF3D(H)x3; what it has in common with NTAG 424 DNA is in nxp_application.py.

from .ats import ats
from .isodep_picc import IsoDepPicc
from .nxp_application import (
    AUTHENTICATION_ERROR,
    ILLEGAL_COMMAND,
    ISO_INSTRUCTION,
    ISO_NOT_FOUND,
    ISO_OK,
    ISO_PARAMETERS,
    LENGTH_ERROR,
    PERMISSION_DENIED,
    SELECT_FILE,
    NxpApplication,
)
from .random_id_picc import RandomIdPicc

SELECT_APPLICATION = 0x5A
GET_APPLICATION_IDS = 0x6A
APPLICATION_NOT_FOUND = b"\x91\xa0"
OK = b"\x91\x00"

MASTER_AID = bytes(3)
MASTER_NAME = bytes.fromhex("D2760000850100")
# Of a card with 4 KB: hardware and software part of GetVersion.
VERSIONS = {
    "ev2": (bytes.fromhex("04010112001805"), bytes.fromhex("04010102011805")),
    "ev3": (bytes.fromhex("04010133001805"), bytes.fromhex("04010103001805")),
}
# FWI 8, SFGI 1, frames of 64 bytes, CID.
ATS = ats(5, 8, 1, 0x77, True, b"\x80")


# `apps`: the AES keys of each application by its three bytes as they go over the air (the least
# significant first). `master_key` is the card's own. `lists_freely`: the directory needs no key.
class Desfire(NxpApplication):
    def __init__(
        self,
        uid: bytes,
        apps: "dict[bytes, list[bytes]]",
        generation: str = "ev2",
        master_key: bytes = bytes(16),
        seed: int = 1,
    ):
        NxpApplication.__init__(self, uid, VERSIONS[generation], seed)
        self.apps = apps
        self.master_key = master_key
        self.lists_freely = True
        self._aid = MASTER_AID

    def reset(self) -> None:
        NxpApplication.reset(self)
        self._aid = MASTER_AID

    def keys(self) -> "list[bytes]":
        return [self.master_key] if self._aid == MASTER_AID else self.apps[self._aid]

    # Selecting the card itself by its name is all of ISO/IEC 7816-4 that is needed here.
    def iso(self, ins: int, p1: int, p2: int, data: bytes, le: int) -> bytes:  # noqa: ARG002
        if ins != SELECT_FILE:
            return ISO_INSTRUCTION
        if p1 != 0x04 or p2 not in (0x00, 0x0C):
            return ISO_PARAMETERS
        if data != MASTER_NAME:
            return ISO_NOT_FOUND
        self.reset()
        return ISO_OK

    def native(self, ins: int, data: bytes) -> bytes:
        if ins == SELECT_APPLICATION:
            return self._select(data)
        if ins == GET_APPLICATION_IDS:
            return self._directory(data)
        return ILLEGAL_COMMAND

    def _select(self, data: bytes) -> bytes:
        if len(data) != 3:
            return LENGTH_ERROR
        if data != MASTER_AID and data not in self.apps:
            return APPLICATION_NOT_FOUND
        self.reset()
        self._aid = data
        return OK

    def _directory(self, data: bytes) -> bytes:
        refusal = self._unless_admitted(GET_APPLICATION_IDS, data)
        if refusal:
            return refusal
        if self._aid != MASTER_AID:
            return PERMISSION_DENIED
        if not self.lists_freely and self.session is None:
            return AUTHENTICATION_ERROR
        listed = b"".join(sorted(self.apps))
        if self.session is not None:
            listed = self.session.maced(listed)
        return self._in_frames(listed)


# A card with these applications; with `random_id` its UID is found by GetCardUID only.
def desfire(
    uid: bytes,
    apps: "dict[bytes, list[bytes]]",
    generation: str = "ev2",
    random_id: bool = False,
    seed: int = 1,
) -> IsoDepPicc:
    application = Desfire(uid, apps, generation, seed=seed)
    if random_id:
        application.hides_uid = True
        return RandomIdPicc(application, ATS, b"\x04\x03", seed)
    return IsoDepPicc(uid, application, ATS, 0x20, b"\x44\x03")
