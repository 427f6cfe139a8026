# MQTT 3.1.1 packets made and read by umqtt.simple, without its waits.
#
# umqtt.simple blocks on its socket: for ever after the first byte (micropython-lib issue 103), in
# many small writes (44 ms each under Nagle), and a PUBACK that comes late derails it. Here it talks
# to memory instead. It writes a packet into a buffer that the link sends in one piece, finds the
# answer it insists on already there, and reads only whole packets that the link has received.

import umqtt.simple as umqtt
from micropython import const

_PUBACK = const(0x40)
_SUBACK = const(0x90)
_DUP = const(0x08)

# The release of umqtt.simple in use. The one of 2017, 1.3.4, is the last that does not say.
VERSION = getattr(umqtt, "__version__", "1.3.4")


# Makes and reads the packets of one reader. user None: the broker knows the reader by other means.
# Stands, for umqtt.simple, where that expects a socket (read takes from what was fed, write
# collects) and the module socket; the link has made the real connection and reads the real CONNACK.
class Packets:
    def __init__(self, client_id, user, password, keepalive_s):
        self.client = umqtt.MQTTClient(client_id, "", 1883, user, password, keepalive_s)
        self.client.sock = self
        self._fed = b""
        self._at = 0
        self._written = bytearray()
        # The stubs of umqtt.simple do not list what it imports.
        setattr(umqtt, "socket", self)  # noqa: B010

    # The CONNECT packet, for a clean session.
    def connect_packet(self):
        self._fed = b"\x20\x02\x00\x00"
        self._at = 0
        self.client.connect()
        return self._taken()

    # The SUBSCRIBE packet for one topic of at most 122 bytes.
    def subscribe_packet(self, topic, qos):
        pid = self._next_pid()
        self._fed = bytes((_SUBACK, 3, pid >> 8, pid & 0xFF, qos))
        self.client.subscribe(topic, qos)
        return self._taken()

    # The PUBLISH packet; client.pid is its packet id afterwards. With pid it is the packet of that
    # id once more, with DUP set (MQTT 3.1.1, 3.3.1.1).
    def publish_packet(self, topic, payload, retain=False, qos=1, pid=0):
        newest = self.client.pid
        if pid:
            self.client.pid = pid - 1
        next_pid = self._next_pid()
        self._fed = bytes((_PUBACK, 2, next_pid >> 8, next_pid & 0xFF)) if qos else b""
        self.client.publish(topic, payload, retain, qos)
        packet = self._taken()
        if pid:
            packet[0] |= _DUP
            self.client.pid = newest
        return packet

    # Handles one whole packet received; returns what must be sent in answer, mostly nothing.
    def receive(self, packet):
        self._fed = packet
        self.client.wait_msg()
        return self._taken()

    # The next packet id: 1 to 65535, never 0 (MQTT 3.1.1, 2.3.1); umqtt adds the 1 itself.
    def _next_pid(self):
        self.client.pid %= 65535
        return self.client.pid + 1

    def _taken(self):
        self._at = 0
        written, self._written = self._written, bytearray()
        return written

    def write(self, data, size=None):
        self._written += data if size is None else memoryview(data)[:size]

    def read(self, size):
        self._at += size
        return self._fed[self._at - size : self._at] or None

    def socket(self, *_):
        return self

    # What else umqtt.simple asks of a socket and its module; only the look-up is answered.
    def getaddrinfo(self, *_):
        return ((None,),)

    connect = setblocking = settimeout = close = getaddrinfo
