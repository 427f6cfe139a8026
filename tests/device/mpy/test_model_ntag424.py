# The model's NTAG 424 DNA: the published SUN and AuthenticateEV2First vectors as the card says
# them, read sessions, files, and what it refuses.

from facing import Facing, hexed
from nativecard import app_of, authenticate, say, scripted

from besnik.sim.model import aes
from besnik.sim.model.ndef import uri_message
from besnik.sim.model.ntag424_picc import ATS, Ntag424, ntag424

UID = bytes.fromhex("04DEBEBCFF4C80")
META = bytes.fromhex("070D4428C92D6C20A93653EAB4074545")
FILE = bytes.fromhex("A0D2C82B592E04EC8A4189BBC4204318")
KEYS = [bytes(16), FILE, META, bytes(16), bytes(16)]
ADDRESS = "https://besnik.example/t?picc_data={picc}&cmac={mac}"


def select_ndef(app):
    assert say(app, "00A4040007D276000085010100") == "9000"
    assert say(app, "00A4000C02E104") == "9000"


# The address in the NDEF file, behind its prefix.
def read_address(app, step=59):
    select_ndef(app)
    size = int(say(app, "00B0000002")[:4], 16)
    message = b""
    while len(message) < size:
        at = 2 + len(message)
        want = min(step, size - len(message))
        answer = app.apdu(bytes((0x00, 0xB0, at >> 8, at & 0xFF, want)))
        assert answer[-2:] == b"\x90\x00" and len(answer) == want + 2
        message += answer[:-2]
    start = 5 if message[0] == 0xD1 else 8
    return message[start:].decode()


# ---- the published vectors ----


def test_sun_of_an12196_with_the_key_of_the_factory():
    card = ntag424(
        bytes.fromhex("04DE5F1EACC040"), "https://choose.url.com/ntag424?e={picc}&c={mac}"
    )
    app = app_of(card)
    secret = bytes.fromhex("EF963FF7828658A599F3041510671E88")
    plain = aes.cbc_decrypt(bytes(16), secret)
    assert hexed(plain[:11]) == "C704DE5F1EACC0403D0000"
    app.count = 60
    app.draw = scripted(hexed(plain[11:]))
    assert read_address(app) == (
        "choose.url.com/ntag424?e=EF963FF7828658A599F3041510671E88&c=94EED9EE65337086"
    )


def test_sun_of_an12196_with_encrypted_file_data():
    address = "https://www.my424dna.com/?picc_data={picc}&enc={enc:xxxxxxxxxxxxxxxx}&cmac={mac}"
    app = app_of(ntag424(bytes.fromhex("04958CAA5C5E80"), address, "enc"))
    plain = aes.cbc_decrypt(bytes(16), bytes.fromhex("FD91EC264309878BE6345CBE53BADF40"))
    app.count = 7
    app.draw = scripted(hexed(plain[11:]))
    assert read_address(app) == (
        "my424dna.com/?picc_data=FD91EC264309878BE6345CBE53BADF40"
        "&enc=CEE9A53E3E463EF1F459635736738962&cmac=ECC1E7F6C6C73BF6"
    )


def test_sun_in_plain_text():
    app = app_of(
        ntag424(bytes.fromhex("041E3C8A2D6B80"), "https://a.b/?uid={uid}&ctr={ctr}&m={mac}")
    )
    app.count = 5
    app.draw = scripted("0000000000")
    assert read_address(app) == "a.b/?uid=041E3C8A2D6B80&ctr=000006&m=4B00064004B0B3D3"


def test_sun_with_keys_of_its_own():
    app = app_of(ntag424(UID, ADDRESS, keys=KEYS))
    plain = aes.cbc_decrypt(META, bytes.fromhex("7C3404E778AEFE5E8F97EBCCAF9F13F2"))
    app.count = 6
    app.draw = scripted(hexed(plain[11:]))
    assert read_address(app) == (
        "besnik.example/t?picc_data=7C3404E778AEFE5E8F97EBCCAF9F13F2&cmac=698C90F9E507FBF3"
    )


def test_authenticate_ev2_first_of_an12196():
    app = app_of(ntag424(UID, ADDRESS))
    select_ndef(app)
    app.draw = scripted("B9E2FC789B64BF237CCCAA20EC7E6E48", "9D00C4DF")
    assert say(app, "9071000002000000") == "A04C124213C186F22399D33AC2A3021591AF"
    assert say(
        app,
        "90AF00002035C3E05A752E0144BAC0DE51C1F22C56B34408A23D8AEA266CAB947EA8E0118D00",
    ) == ("3FA64DB5446D1F34CD6EA311167F5E4985B89690C04A05F17FA7AB2F08120663" + "9100")
    assert hexed(app.session.transaction) == "9D00C4DF"
    assert hexed(app.session.enc_key) == "1309C877509E5A215007FF0ED19CA564"
    assert hexed(app.session.mac_key) == "4C6626F5E72EA694202139295C7A7FC7"


def test_get_card_uid_of_an12196():
    app = app_of(ntag424(bytes.fromhex("04958CAA5C5E80"), ADDRESS))
    select_ndef(app)
    authenticate(app, 0, bytes(16))
    app.session.mac_key = bytes.fromhex("379D32130CE61705DD5FD8C36B95D764")
    app.session.enc_key = bytes.fromhex("2B4D963C014DC36F24F69A50A394F875")
    app.session.transaction = bytes.fromhex("DF055522")
    assert say(app, "90510000088E2C155ADDA99BE300") == (
        "70756055688505B52A5E26E59E329CD6595F672298EA41B79100"
    )


def test_each_key_of_the_application_authenticates_and_no_other():
    app = app_of(ntag424(UID, ADDRESS, keys=KEYS))
    assert authenticate(app, 0, bytes(16)) == "9140", "keys belong to the application"
    select_ndef(app)
    assert authenticate(app, 1, FILE) == "9100" and authenticate(app, 2, META) == "9100"
    assert authenticate(app, 1, META) == "91AE" and app.session is None
    assert authenticate(app, 5, FILE) == "9140"


def test_interrupted_and_malformed_authentication():
    app = app_of(ntag424(UID, ADDRESS))
    select_ndef(app)
    say(app, "9071000002000000")
    assert say(app, "00A4000C02E103") == "6985"
    say(app, "9071000002000000")
    assert say(app, "9060000000") == "91CA"
    assert say(app, "9060000000")[-4:] == "91AF", "what was begun is forgotten"
    assert say(app, "9071000002000000") == "91CA"
    say(app, "9071000002000000")
    assert say(app, "90AF00001F" + "00" * 31 + "00") == "917E"
    assert say(app, "90AF0000201" + "0" * 63 + "00") == "91CA"
    for text in ("9071000001000000", "90710000020001", "907100000200070000"):
        assert say(app, text) == "917E", text
    assert say(app, "907100000300010200") == "919D", "no LRP"
    assert say(app, "907100000800060000000000000000"[:28] + "00")[-4:] == "917E"
    assert say(app, "90FF000000") == "911C" and say(app, "9051000000") == "91AE"


def test_version_in_three_parts():
    app = app_of(ntag424(UID, ADDRESS))
    assert say(app, "9060000000") == "0404023000110591AF"
    assert say(app, "90AF000000") == "0404020102110591AF"
    assert say(app, "90AF000000") == hexed(UID) + "00000000000125" + "9100"
    assert say(app, "90AF000000") == "91CA"


def test_signature_of_the_maker():
    app = app_of(ntag424(UID, ADDRESS))
    app.signature = bytes(range(56))
    assert say(app, "903C0000010000") == hexed(app.signature) + "9190"
    assert say(app, "903C000000") == "917E"
    assert say(app, "903C0000010100") == "919D"


def test_after_authentication_commands_carry_their_mac():
    app = app_of(ntag424(UID, ADDRESS))
    select_ndef(app)
    authenticate(app, 0, bytes(16))
    session = app.session
    mac = session.mac(0x60, b"")
    assert say(app, "9060000008" + hexed(mac) + "00")[-4:] == "91AF"
    say(app, "90AF000000")
    last = app.apdu(bytes.fromhex("90AF000000"))
    assert len(last) == 14 + 8 + 2 and session.commands == 1
    assert say(app, "9051000008" + "00" * 8 + "00") == "911E" and app.session is None
    authenticate(app, 0, bytes(16))
    app.session.commands = 0xFFFF
    mac = app.session.mac(0x51, b"")
    assert say(app, "9051000008" + hexed(mac) + "00") == "911E", "the counter is at its end"


# ---- read sessions and files ----


def test_counter_rises_once_a_read_session():
    app = app_of(ntag424(UID, ADDRESS, keys=KEYS))
    first = read_address(app)
    assert app.count == 1
    assert read_address(app) != first and app.count == 2
    select_ndef(app)
    assert app.count == 2, "selecting is not reading"
    say(app, "00B0000002")
    say(app, "00B0000202")
    assert app.count == 3
    say(app, "00A4000C02E104")
    say(app, "00B0000002")
    assert app.count == 4
    app.reset()
    assert app.count == 4, "it is kept without power"


def test_a_session_reads_the_same_text_in_pieces_of_any_size():
    whole = read_address(app_of(ntag424(UID, ADDRESS, keys=KEYS)), 128)
    for step in (1, 7, 59):
        assert read_address(app_of(ntag424(UID, ADDRESS, keys=KEYS)), step) == whole


def test_authenticated_reader_sees_the_template():
    app = app_of(ntag424(UID, ADDRESS))
    select_ndef(app)
    authenticate(app, 0, bytes(16))
    assert say(app, "00A4000C02E104") == "9000"
    assert b"picc_data=" + b"0" * 32 in app.apdu(bytes.fromhex("00B0000000"))
    assert app.count == 0


def test_counter_at_its_limit_is_not_read_any_more():
    app = app_of(ntag424(UID, ADDRESS))
    app.count_limit = 1
    read_address(app)
    say(app, "00A4000C02E104")
    assert say(app, "00B0000002") == "6982"


def test_files_are_selected_and_read_as_the_sheet_says():
    app = app_of(ntag424(UID, ADDRESS))
    assert say(app, "00A4000C02E103") == "6A82", "no application yet"
    assert say(app, "00B0000002") == "6985"
    assert say(app, "00A4040007D276000085010100") == "9000"
    assert say(app, "00A4000C02E103") == "9000"
    container = "001720010000FF0406E104010000000506E10500808283" + "00" * 9
    assert say(app, "00B0000000") == container + "9000"
    assert say(app, "00B000000F") == container[:30] + "9000"
    assert say(app, "00B0001E10") == "0000" + "9000", "what is left"
    assert say(app, "00B0002001") == "6A86"
    assert say(app, "00B0830002") == "00179000" and say(app, "00B0840002")[-4:] == "9000"
    assert say(app, "00B0850002") == "6982" and say(app, "00B0860002") == "6A82"
    assert say(app, "00A4000C02E106") == "6A82"
    assert say(app, "00A4040007D276000085010200") == "6A82"
    assert say(app, "00A4050007D276000085010100") == "6A86"
    assert say(app, "00A40000023F00") == "9000" and say(app, "00A4000C02E103") == "6A82"
    assert say(app, "00A4") == "6700" and say(app, "00B00000") == "6700"
    assert say(app, "00A4040008D2760000850101") == "6700"
    assert say(app, "00E0000000") == "6D00" and say(app, "80CA000000") == "6E00"


def test_plain_file_can_be_written_when_open():
    app = Ntag424(UID, b"\x00\x00")
    app.apdu(bytes.fromhex("00A4040007D276000085010100"))
    message = uri_message("https://besnik.example/7")
    command = bytes((0x00, 0xD6, 0, 0, 2 + len(message), 0, len(message))) + message
    assert hexed(app.apdu(command)) == "6985"
    assert say(app, "00A4000C02E104") == "9000"
    assert hexed(app.apdu(command)) == "6982"
    app.is_writable = True
    assert hexed(app.apdu(command)) == "9000"
    assert read_address(app) == "besnik.example/7" and app.count == 0


def test_template_that_does_not_fit_is_refused():
    try:
        ntag424(UID, "https://besnik.example/" + "a" * 250)
    except ValueError as error:
        assert "256" in str(error)
    else:
        raise AssertionError("it does not fit")


def test_card_answers_as_such_on_the_air():
    facing = Facing(ntag424(UID, ADDRESS, keys=KEYS))
    assert facing.uid == UID and facing.sak == 0x20 and facing.card.atqa == b"\x44\x03"
    assert facing.send("E050") == hexed(ATS) == "067777710280"
    facing.now_ns += 604130
    assert facing.send("0200A4040007D276000085010100") == "029000"
    assert facing.send("0300A4000C02E104") == "039000"
    assert facing.send("0200B0000002") == "0200569000"
    assert facing.after_ns == 91150 + 8000000
    assert facing.send("0300B000023B")[-4:] == "9000" and facing.after_ns < 2000000
    assert facing.card.app.count == 1
