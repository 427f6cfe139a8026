# Apple's Enhanced Contactless Polling: a frame sent between polls that tells a phone what the
# reader wants. Proprietary, known from kormax/apple-enhanced-contactless-polling: off unless asked
# for.

from mfrc522 import DEAF

# Names and frames, CRC_A included.
FRAMES = {
    "vas_or_pay": b"\x6a\x01\x00\x00\x00\xf6\xf1",
    "vas_and_pay": b"\x6a\x01\x00\x00\x01\x7f\xe0",
    "vas": b"\x6a\x01\x00\x00\x02\xe4\xd2",
    "ignore": b"\x6a\x01\xcf\x00\x00\xab\xb1",
}


# Sends a frame; no card answers it. False when the chip is deaf.
def send(pcd, frame):
    return pcd.transceive(frame, len(frame), rx_bytes=0) != DEAF
