# Releases for tests in MicroPython: signed with a key that needs no file, and a reader's line to a
# host that has them.

import struct
from binascii import hexlify
from hashlib import sha256

E = 65537
KEY_BYTES = 384
# Mersenne primes make a modulus that nobody should use, of the right size: signing needs them.
_PRIMES = [(1 << exponent) - 1 for exponent in (2203, 607, 127, 107, 19, 7, 2)]
_DIGEST_INFO = bytes.fromhex("3031300d060960864801650304020105000420")


# a ** -1 modulo m, by Euclid's algorithm.
def _inverse(a, m):
    b, x, y = m, 0, 1
    while a:
        a, b, x, y = b % a, a, y, x - b // a * y
    return x % m


# base ** (E ** -1), prime by prime (Garner's way).
def _root(base):
    found, product = 0, 1
    for prime in _PRIMES:
        part = pow(base % prime, _inverse(E, prime - 1), prime)
        found += product * ((part - found) * _inverse(product % prime, prime) % prime)
        product *= prime
    return found


MODULUS = 1
for _prime in _PRIMES:
    MODULUS *= _prime
PUBLIC = MODULUS.to_bytes(KEY_BYTES, "big")


def signature(text):
    digest = sha256(text).digest()
    block = b"\x00" + _DIGEST_INFO + digest
    block = b"\x00\x01" + b"\xff" * (KEY_BYTES - 2 - len(block)) + block
    return _root(int.from_bytes(block, "big")).to_bytes(KEY_BYTES, "big")


def manifest(number, files, head="board esp32\nmpy 6.3\n"):
    lines = ["besnik-release 1\nnumber %d\nversion 1.0.0\n" % number, head]
    for path in sorted(files):
        digest = hexlify(sha256(files[path]).digest()).decode()
        lines.append("file %s %d %s\n" % (path, len(files[path]), digest))
    return "".join(lines).encode()


# What a release is to a host: its pieces by the numbers that readers ask with.
def pieces(number, files):
    text = manifest(number, files)
    found = {-2: signature(text), -1: text}
    for index, path in enumerate(sorted(files)):
        found[index] = files[path]
    return found


# In place of link.Link, a line to a host that answers at once: what is published for the host is
# in said, the pieces it was asked for are in asked, and its answers go to the errand of the reader.
class Line:
    is_up = True
    reconnects = 0

    def __init__(self, offered):
        self.reader = None
        self._offered = offered
        self.said = []
        self.asked = set()

    async def publish(self, topic, payload, retain=False, qos=1, pid=0):
        if topic.endswith("/get"):
            ask = eval(payload)
            self.asked.add(ask["f"])
            data = self._offered[ask["f"]][ask["o"] : ask["o"] + 256]
            head = struct.pack(">IhI", ask["n"], ask["f"], ask["o"])
            self.reader.errand.on_message(b"/update/part", head + data)
        else:
            self.said.append(eval(payload))
        return True


# What of reader.Reader an errand asks for.
class Reader:
    topic = "besnik/v1/corner/counter-1/"
    outbox = ()

    def __init__(self, line, clock, board):
        self.link = line
        line.reader = self
        self.clock = clock
        self.board = board
        self.errand = None
        self.is_leaving = False
