# What a card says of its ISO/IEC 14443-4 side when it is activated: the ATS (5.2 of that standard).

# 5.2.3, table 1: FSDI and FSCI to the size of a frame, CRC included.
FRAME_SIZES = (16, 24, 32, 40, 48, 64, 96, 128, 256)
# 7.2: 4096/fc; FWI 4 unless the ATS says otherwise, 14 is the longest.
FWT_UNIT_NS = 302065
FWI_DEFAULT = 4
FWT_MAX_NS = FWT_UNIT_NS << 14


# ATS of a card: TL, T0, those of TA, TB, TC that are asked for, historical bytes (5.2). Without
# `fwi` there is no TB, without `cid` no TC.
def ats(
    fsci: int = 8,
    fwi: "int | None" = 8,
    sfgi: int = 0,
    ta: "int | None" = 0x80,
    cid: "bool | None" = False,
    historical: bytes = b"",
) -> bytes:
    t0 = fsci
    body = b""
    if ta is not None:
        t0 |= 0x10
        body += bytes((ta,))
    if fwi is not None:
        t0 |= 0x20
        body += bytes((fwi << 4 | sfgi,))
    if cid is not None:
        t0 |= 0x40
        body += bytes((0x02 if cid else 0x00,))
    return bytes((2 + len(body) + len(historical), t0)) + body + historical


# The card itself keeps to what its ATS says. `frame_max`: bytes of a frame that it takes, CRC
# included; `fwt_ns`: how long it may take to answer; `sfgt_ns`: how long it is deaf after the ATS.
class Parsed:
    def __init__(self, octets: bytes):
        self.octets = octets
        t0 = octets[1] if len(octets) > 1 else 0x02
        self.frame_max = FRAME_SIZES[min(t0 & 0x0F, 8)]
        at = 2 + (t0 >> 4 & 1)
        tb = octets[at] if t0 & 0x20 else FWI_DEFAULT << 4
        at += t0 >> 5 & 1
        self.fwt_ns = FWT_UNIT_NS << (tb >> 4)
        self.sfgt_ns = FWT_UNIT_NS << (tb & 0x0F) if tb & 0x0F else 0
        self.knows_cid = bool(t0 & 0x40 and octets[at] & 0x02)
