# Talking to the application of an NTAG 424 DNA or DESFire of the model, without the air between.

from facing import hexed

from besnik.sim.model import aes


# The application alone: APDUs in hex, answers in hex.
def app_of(card):
    app = card.app
    app.reset()
    return app


def say(app, text):
    return hexed(app.apdu(bytes.fromhex(text)))


# Random numbers that are not.
def scripted(*values):
    rest = [bytes.fromhex(value) for value in values]

    def draw(count):
        value = rest.pop(0)
        assert len(value) == count
        return value

    return draw


# The reader's side of AuthenticateEV2First; returns the last status word.
def authenticate(app, number, key, rnd_a=bytes(range(16))):
    answer = app.apdu(bytes((0x90, 0x71, 0, 0, 2, number, 0, 0)))
    if answer[-2:] != b"\x91\xaf":
        return hexed(answer)
    rnd_b = aes.cbc_decrypt(key, answer[:-2])
    secret = aes.cbc_encrypt(key, rnd_a + rnd_b[1:] + rnd_b[:1])
    answer = app.apdu(b"\x90\xaf\x00\x00\x20" + secret + b"\x00")
    if answer[-2:] == b"\x91\x00":
        plain = aes.cbc_decrypt(key, answer[:-2])
        assert plain[4:20] == rnd_a[1:] + rnd_a[:1]
    return hexed(answer[-2:])
