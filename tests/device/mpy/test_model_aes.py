# The model's AES: vectors of FIPS 197, NIST SP 800-38A, SP 800-38B and NXP AN10922.

from facing import hexed

from besnik.sim.model import aes

KEY = bytes.fromhex("2B7E151628AED2A6ABF7158809CF4F3C")
TEXT = bytes.fromhex(
    "6BC1BEE22E409F96E93D7E117393172AAE2D8A571E03AC9C9EB76FAC45AF8E51"
    "30C81C46A35CE411E5FBC1191A0A52EFF69F2445DF4F9B17AD2B417BE66C3710"
)


def test_block_of_fips_197():
    key = bytes.fromhex("000102030405060708090A0B0C0D0E0F")
    plain = bytes.fromhex("00112233445566778899AABBCCDDEEFF")
    secret = aes.encrypt(key, plain)
    assert hexed(secret) == "69C4E0D86A7B0430D8CDB78070B4C55A"
    assert aes.decrypt(key, secret) == plain


def test_cbc_of_sp_800_38a():
    iv = bytes.fromhex("000102030405060708090A0B0C0D0E0F")
    secret = aes.cbc_encrypt(KEY, TEXT, iv)
    assert hexed(secret[:16]) == "7649ABAC8119B246CEE98E9B12E9197D"
    assert hexed(secret[48:]) == "3FF1CAA1681FAC09120ECA307586E1A7"
    assert aes.cbc_decrypt(KEY, secret, iv) == TEXT


def test_cmac_of_sp_800_38b():
    for size, mac in (
        (0, "BB1D6929E95937287FA37D129B756746"),
        (16, "070A16B46B4D4144F79BDD9DD04A287C"),
        (40, "DFA66747DE9AE63030CA32611497C827"),
        (64, "51F0BEBF7E3B9D92FC49741779363CFE"),
    ):
        assert hexed(aes.cmac(KEY, TEXT[:size])) == mac


def test_padding_always_adds_a_byte():
    assert hexed(aes.pad(b"\x11" * 15)) == "11" * 15 + "80"
    assert hexed(aes.pad(bytes(16))) == "00" * 16 + "80" + "00" * 15


def test_diversified_keys_of_an10922():
    master = bytes.fromhex("00112233445566778899AABBCCDDEEFF")
    long = bytes.fromhex("04782E21801D803042F54E585020416275")
    assert hexed(aes.diversified(master, long)) == "A8DD63A3B89D54B37CA802473FDA9175"
    # A UID alone: not what CMAC itself would give.
    short = aes.diversified(master, bytes.fromhex("04782E21801D80"))
    assert hexed(short) == "4FD3364753B8142980E8203C75AD83BE"
    assert hexed(aes.cmac(master, b"\x01" + bytes.fromhex("04782E21801D80"))) == (
        "B3179E2D918AC5190815983B054B63AD"
    )
