"""The key file: who may read it, what it may say, and that no message shows a key."""

from __future__ import annotations

import copy
import os
import pickle
import traceback
from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from besnik.credentials.keyring import Keys, Secret
from besnik.credentials.keys import FILE_MAX_BYTES, KeyFileError, load_keys

META = "0f1e2d3c4b5a69788796a5b4c3d2e1f0"
FILE = "00112233445566778899AABBCCDDEEFF"
EV2 = "a0d2c82b592e04ec8a4189bbc4204318"
POINT = (
    "040E98E117AAA36457F43173DC920A8757267F44CE4EC5ADD3C54075571AEBBF7B942A9774A1D94A"
    "D02572427E5AE0A2DD36591B1FB34FCF3D"
)
NOWHERE = Path("/nowhere/keys.toml")

GOOD = f"""
[[sun]]
version = 1
template = "e={{picc}}&m={{mac}}"
meta_key = "{META}"
file_key = "{FILE}"

[[sun]]
version = 2
template = "u={{uid}}&c={{ctr}}&m={{mac}}"
file_key = "{FILE}"
diversified = false

[[ev2]]
version = 1
aid = "F54230"
key_number = 1
key = "{EV2}"
system = "corner"

[[originality]]
name = "DESFire Light"
public_key = "{POINT}"
"""


def written(folder: Path, text: str, mode: int = 0o600) -> Path:
    file = folder / "keys.toml"
    file.write_text(text, encoding="utf-8")
    file.chmod(mode)
    return file


def refusal(text: str) -> str:
    """Return the message about a file with this text, once it is sure to hold no key."""
    with pytest.raises(KeyFileError) as caught:
        load_keys(NOWHERE, {"BESNIK_KEYS": "env:TEXT", "TEXT": text})
    everything = "".join(traceback.format_exception(caught.value)) + repr(caught.value)
    for key in (META, FILE, EV2):
        assert key.lower() not in everything.lower()
        assert key[:12].lower() not in everything.lower()
    return str(caught.value)


def test_a_file_gives_its_keys(tmp_path: Path) -> None:
    keys = load_keys(written(tmp_path, GOOD), {})
    first, second = keys.sun
    assert (first.version, first.diversified, first.system) == (1, True, "besnik")
    assert first.template.text == "e={picc}&m={mac}"
    assert first.meta_key == Secret(bytes.fromhex(META))
    assert first.file_key.reveal() == bytes.fromhex(FILE)
    assert (second.meta_key, second.diversified) == (None, False)
    (ev2,) = keys.ev2
    assert (ev2.application, ev2.key_number, ev2.system) == (b"\xf5\x42\x30", 1, "corner")
    assert ev2.key.reveal() == bytes.fromhex(EV2)
    (signer,) = keys.originality
    assert (signer.name, signer.public_key) == ("DESFire Light", POINT)


def test_without_a_file_there_are_no_keys() -> None:
    assert load_keys(NOWHERE, {}) == Keys()


@pytest.mark.parametrize("mode", [0o600, 0o400])
def test_a_file_of_its_owner_alone_is_read(tmp_path: Path, mode: int) -> None:
    assert load_keys(written(tmp_path, GOOD, mode), {}).sun


@pytest.mark.parametrize("mode", [0o644, 0o640, 0o660, 0o604, 0o602, 0o610, 0o777])
def test_a_file_that_others_may_use_is_refused(tmp_path: Path, mode: int) -> None:
    file = written(tmp_path, GOOD, mode)
    with pytest.raises(KeyFileError) as caught:
        load_keys(file, {})
    assert f"mode {mode:04o}" in str(caught.value)
    assert f"chmod 600 {file}" in str(caught.value)


def test_the_mode_of_a_link_is_that_of_its_file(tmp_path: Path) -> None:
    link = tmp_path / "link.toml"
    link.symlink_to(written(tmp_path, GOOD, 0o644))
    with pytest.raises(KeyFileError, match="mode 0644"):
        load_keys(link, {})


def test_the_environment_names_another_file(tmp_path: Path) -> None:
    file = written(tmp_path, GOOD)
    assert load_keys(NOWHERE, {"BESNIK_KEYS": str(file)}).ev2


def test_a_file_that_the_environment_names_has_to_be_there() -> None:
    with pytest.raises(KeyFileError, match="not found; BESNIK_KEYS names it"):
        load_keys(NOWHERE, {"BESNIK_KEYS": "/nowhere/else.toml"})


def test_the_environment_can_hold_the_text_and_each_key() -> None:
    text = GOOD.replace(f'"{FILE}"', '"env:SHOP_FILE_KEY"')
    environment = {"BESNIK_KEYS": "env:TEXT", "TEXT": text, "SHOP_FILE_KEY": f"{FILE}\n"}
    assert load_keys(NOWHERE, environment).sun[0].file_key.reveal() == bytes.fromhex(FILE)
    del environment["SHOP_FILE_KEY"]
    with pytest.raises(KeyFileError, match=r"sun\[0\].file_key: .*SHOP_FILE_KEY is not set"):
        load_keys(NOWHERE, environment)


def test_what_is_no_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(KeyFileError, match="cannot be read: Is a directory"):
        load_keys(tmp_path, {})
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe, 0o600)
    with pytest.raises(KeyFileError, match="no regular file"):
        load_keys(pipe, {})


def test_a_file_without_end_or_letters_is_refused(tmp_path: Path) -> None:
    with pytest.raises(KeyFileError, match="longer than"):
        load_keys(written(tmp_path, "#" * (FILE_MAX_BYTES + 1)), {})
    file = written(tmp_path, "")
    file.write_bytes(b'key = "\xff"')
    with pytest.raises(KeyFileError, match="not UTF-8"):
        load_keys(file, {})


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        (f'"{META}"', f'"{META}0"', "sun[0].meta_key: must be a key of 32 hex digits"),
        (f'"{META}"', f'"{META[:-1]}"', "sun[0].meta_key: must be a key of 32 hex digits"),
        (f'"{META}"', f'"0x{META[2:]}"', "sun[0].meta_key: must be a key of 32 hex digits"),
        (f'"{META}"', f'"env:{META}"', "sun[0].meta_key: env: is followed by the name"),
        (f'"{EV2}"', f'"env:{EV2}"', "ev2[0].key: env: is followed by the name"),
        (f'"{EV2}"', f'["{EV2}"]', "ev2[0].key: must be text in quotes"),
        (f'"{EV2}"', "5", "ev2[0].key: must be text in quotes"),
        (f'"{EV2}"', EV2, "env:TEXT: is not TOML at line 18, column 7"),
        (f'key = "{EV2}"', f'"{EV2}" = 1', "ev2[0]: has a name that is not known"),
        (f'key = "{EV2}"', f'secret = "{EV2}"', "ev2[0]: has a name that is not known: secret"),
        (f'key = "{EV2}"', "", "ev2[0]: lacks key"),
        ("[[ev2]]", "[[vas]]", "top level: has a name that is not known: vas"),
        ("[[ev2]]", "[ev2]", "ev2: must be at most 16 tables [[ev2]]"),
        ("key_number = 1", "key_number = 0", "ev2[0].key_number: must be 1 to 13: key 0"),
        ("key_number = 1", "key_number = 14", "ev2[0].key_number: must be 1 to 13"),
        ("version = 2", "version = 256", "sun[1].version: must be a whole number from 0 to 255"),
        ("version = 2", f'version = "{FILE}"', "sun[1].version: must be a whole number"),
        ("version = 2", "version = 1", "sun[1].version: 1 stands twice"),
        ("diversified = false", 'diversified = "no"', "sun[1].diversified: must be true or false"),
        ('"F54230"', '"f54230"', "ev2[0].aid: must be 3 bytes, or 5 to 16 bytes"),
        ('"F54230"', '"F5423000"', "ev2[0].aid: must be 3 bytes, or 5 to 16 bytes"),
        ('"corner"', '"corner shop"', "ev2[0].system: must be at most 12 characters"),
        ('"corner"', f'"{FILE}"', "ev2[0].system: must be at most 12 characters"),
        ("m={mac}", "m={cmac}", "sun[0].template: {cmac} is no part of an address"),
        ('"e={picc}&m={mac}"', "7", "sun[0].template: must be text in quotes"),
        (f'meta_key = "{META}"', "", "sun[0]: lacks meta_key; it opens {picc}"),
        ("u={uid}&c={ctr}&m", "e={picc}&m", "sun[1]: lacks meta_key"),
        ("e={picc}&m", "u={uid}&c={ctr}&m", "sun[0]: needs no meta_key"),
        (META, "0" * 32, "sun[0].meta_key: is the key that cards leave the factory with"),
        (META, FILE, "sun[0].meta_key: is the same as sun[0].file_key"),
        (EV2, FILE, "ev2[0].key: is the same as sun[0].file_key"),
        (POINT, POINT[:-2], "originality[0].public_key: must be 04 and two coordinates"),
        (POINT, POINT.lower(), "originality[0].public_key: must be 04 and two coordinates"),
        (POINT, POINT[:-1] + "E", "originality[0].public_key: this point is not on its curve"),
        ("DESFire Light", "", "originality[0].name: must be 1 to 40 characters of ASCII"),
    ],
)
def test_a_mistake_is_named_by_its_place(old: str, new: str, message: str) -> None:
    assert GOOD.count(old)
    assert message in refusal(GOOD.replace(old, new, 1))


def test_a_long_aid_leaves_less_room_for_the_system() -> None:
    text = GOOD.replace("F54230", "A0" * 16).replace('"corner"', '"corner-shop"')
    assert "ev2[0].system: is too long beside this aid" in refusal(text)


def test_a_key_of_one_purpose_may_outlive_another() -> None:
    text = GOOD.replace("u={uid}&c={ctr}&m={mac}", "p={picc}&m={mac}").replace(
        "diversified = false", f'meta_key = "{META}"'
    )
    assert len(load_keys(NOWHERE, {"BESNIK_KEYS": "env:T", "T": text}).sun) == 2


@given(st.text(max_size=300) | st.text("[]=sunev2\"'\n key_#.0a{}&", max_size=300))
def test_no_text_breaks_the_parser(text: str) -> None:
    try:
        load_keys(NOWHERE, {"BESNIK_KEYS": "env:TEXT", "TEXT": text})
    except KeyFileError as error:
        assert str(error)


def test_a_key_shows_itself_nowhere() -> None:
    keys = load_keys(NOWHERE, {"BESNIK_KEYS": "env:TEXT", "TEXT": GOOD})
    secret = keys.ev2[0].key
    for thing in (keys, keys.sun, keys.sun[0], keys.ev2[0], secret):
        shown = f"{thing!r} {thing!s} {thing} {[thing]}".lower()
        for key in (META, FILE, EV2):
            assert key.lower() not in shown
            assert repr(bytes.fromhex(key)).lower() not in shown
        assert "***" in shown
    for write in (pickle.dumps, copy.deepcopy, msgspec.json.encode, msgspec.msgpack.encode):
        with pytest.raises(TypeError):
            write(keys.sun[0])


def test_a_secret_is_16_bytes() -> None:
    with pytest.raises(ValueError, match="a key is 16 bytes") as caught:
        Secret(bytes.fromhex(FILE)[:-1])
    assert FILE[:8] not in str(caught.value)
