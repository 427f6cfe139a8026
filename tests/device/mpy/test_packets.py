# firmware/packets.py: the bytes on the wire, checked against MQTT 3.1.1.

from firmware import packets

_got = []


def _packets():
    _got.clear()
    codec = packets.Packets("counter-1", "counter-1", "secret", 30)
    codec.client.set_callback(lambda *m: _got.append(m))
    return codec


def _length(packet):
    return (packet[1] & 0x7F) + ((packet[2] << 7) if packet[1] & 0x80 else 0)


def test_connect_carries_identity_will_and_clean_session():
    codec = _packets()
    codec.client.set_last_will("besnik/v1/corner/counter-1/state", b'{"s":"lost","bd":7}', True, 1)
    packet = bytes(codec.connect_packet())
    assert packet[0] == 0x10 and packet[2:8] == b"\x00\x04MQTT" and packet[8] == 4
    assert packet[9] == 0x80 | 0x40 | 0x20 | 0x08 | 0x04 | 0x02, hex(packet[9])
    assert packet[10:12] == b"\x00\x1e"
    assert len(packet) == 2 + _length(packet)
    assert packet.endswith(b"\x00\x09counter-1\x00\x06secret")


def test_every_packet_is_one_buffer_and_leaves_nothing_behind():
    codec = _packets()
    first = codec.publish_packet("t/a", b"x" * 200)
    second = codec.publish_packet("t/a", b"y")
    assert len(first) == 3 + _length(first) and len(second) == 2 + _length(second)
    assert bytes(second).endswith(b"y") and b"x" not in second


def test_packet_ids_wrap_from_65535_to_1():
    codec = _packets()
    codec.client.pid = 65534
    assert bytes(codec.publish_packet("t", b"m"))[5:7] == b"\xff\xff"
    assert bytes(codec.publish_packet("t", b"m"))[5:7] == b"\x00\x01"


def test_a_packet_sent_again_has_its_first_id_and_the_dup_flag():
    codec = _packets()
    first = bytes(codec.publish_packet("t", b"m"))
    bytes(codec.publish_packet("t", b"n"))
    again = bytes(codec.publish_packet("t", b"m", pid=1))
    assert again == bytes((first[0] | 0x08,)) + first[1:], again
    assert bytes(codec.publish_packet("t", b"o"))[5:7] == b"\x00\x03"


def test_without_a_user_the_certificate_speaks():
    packet = bytes(packets.Packets("counter-1", None, None, 30).connect_packet())
    assert packet[9] == 0x02 and packet.endswith(b"\x00\x09counter-1")


def test_received_message_reaches_the_callback_and_is_acknowledged():
    codec = _packets()
    answer = codec.receive(b"\x32\x0a\x00\x03a/b\x00\x07hey")
    assert _got == [(b"a/b", b"hey")]
    assert bytes(answer) == b"\x40\x02\x00\x07"


def test_qos_0_message_asks_for_no_answer():
    codec = _packets()
    assert bytes(codec.receive(b"\x30\x08\x00\x03a/bhey")) == b""
    assert _got == [(b"a/b", b"hey")]


def test_subscribe_asks_for_qos_1():
    packet = bytes(_packets().subscribe_packet("besnik/v1/corner/counter-1/verdict", 1))
    assert packet[0] == 0x82 and packet[-1] == 1 and len(packet) == 2 + packet[1]
