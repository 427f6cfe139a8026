# NDEF as a card issuer writes it: one URI record (NFC Forum NDEF 3.2, RTD URI 3.2).

# RTD URI table 3: the two prefixes that shop cards use.
PREFIXES = ((0x02, "https://www."), (0x04, "https://"), (0x01, "http://www."), (0x03, "http://"))


# One message with one record of type "U". The address must be ASCII.
def uri_message(address: str) -> bytes:
    code = 0
    for number, prefix in PREFIXES:
        if address.startswith(prefix):
            code = number
            address = address[len(prefix) :]
            break
    payload = bytes((code,)) + address.encode()
    size = len(payload)
    if size < 256:
        return bytes((0xD1, 0x01, size, 0x55)) + payload
    return bytes((0xC1, 0x01, 0, 0, size >> 8, size & 0xFF, 0x55)) + payload


# A message in the memory of a Type 2 tag: NDEF TLV and terminator (NFC Forum Type 2 Tag 2.3).
def in_tlv(message: bytes) -> bytes:
    size = len(message)
    length = bytes((size,)) if size < 255 else bytes((0xFF, size >> 8, size & 0xFF))
    return b"\x03" + length + message + b"\xfe"
