# MQTT 3.1.1 packets made and read by umqtt.simple, without its waits.
#
# umqtt.simple blocks on its socket: for ever after the first byte (micropython-lib issue 103), in
# many small writes (44 ms each under Nagle), and a PUBACK that comes late derails it. Here it talks
# to memory instead. It writes a packet into a buffer that the link sends in one piece, finds the
# answer it insists on already there, and reads only whole packets that the link has received.

import umqtt.simple as umqtt

# The release of umqtt.simple in use. The one of 2017, 1.3.4, is the last that does not say.
VERSION = getattr(umqtt, "__version__", "1.3.4")

PINGREQ = b"\xc0\x00"
DISCONNECT = b"\xe0\x00"
CONNACK = 0x20
PUBLISH = 0x30
PUBACK = 0x40
SUBACK = 0x90


# Stands where umqtt.simple expects a socket: read() takes from what was fed, write() collects.
class _Memory:
    def __init__(self):
        self.fed = b""
        self.written = bytearray()

    def write(self, data, size=None):
        self.written += data if size is None else memoryview(data)[:size]

    def read(self, size):
        taken, self.fed = self.fed[:size], self.fed[size:]
        return taken or None

    def connect(self, address):
        pass

    def setblocking(self, flag):
        pass

    def settimeout(self, timeout_s):
        pass

    def close(self):
        pass


# Stands where umqtt.simple expects the module socket; the link has made the real connection and
# reads the real CONNACK.
class _Sockets:
    def socket(self, *_):
        memory = _Memory()
        memory.fed = b"\x20\x02\x00\x00"
        return memory

    def getaddrinfo(self, *_):
        return ((None,),)


# The stubs of umqtt.simple do not list what it imports.
setattr(umqtt, "socket", _Sockets())  # noqa: B010


# Makes and reads the packets of one session. on_message(topic, payload), both bytes, is called for
# each PUBLISH received.
class Packets(umqtt.MQTTClient):
    def __init__(self, client_id, user, password, keepalive_s, on_message):
        super().__init__(client_id, "", 1883, user, password, keepalive_s)
        self.sock = _Memory()
        self.set_callback(on_message)

    # The CONNECT packet, for a clean session.
    def connect_packet(self):
        self.connect()
        return self._taken()

    # The SUBSCRIBE packet for one topic of at most 122 bytes.
    def subscribe_packet(self, topic, qos):
        pid = self._next_pid()
        self.sock.fed = bytes((SUBACK, 3, pid >> 8, pid & 0xFF, qos))
        self.subscribe(topic, qos)
        return self._taken()

    # The PUBLISH packet.
    def publish_packet(self, topic, payload, retain=False, qos=1):
        pid = self._next_pid()
        self.sock.fed = bytes((PUBACK, 2, pid >> 8, pid & 0xFF)) if qos else b""
        self.publish(topic, payload, retain, qos)
        return self._taken()

    # Handles one whole packet received; returns what must be sent in answer, mostly nothing.
    def receive(self, packet):
        self.sock.fed = packet
        self.wait_msg()
        return self._taken()

    # The next packet id: 1 to 65535, never 0 (MQTT 3.1.1, 2.3.1); umqtt adds the 1 itself.
    def _next_pid(self):
        self.pid %= 65535
        return self.pid + 1

    def _taken(self):
        written, self.sock.written = self.sock.written, bytearray()
        return written
