"""Reading the parts of an address that a card writes."""

from __future__ import annotations

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from besnik.credentials.sun_template import TEXT_MAX, SunTemplate, TemplateError

UID, CTR, MAC = "041E3C8A2D6B80", "000006", "4B00064004B0B3D3"
PICC = "EF963FF7828658A599F3041510671E88"
FILE = "CEE9A53E3E463EF1F459635736738962"
PIECES = st.sampled_from(
    ["{picc}", "{uid}", "{ctr}", "{file}", "{mac}", "{start}", "{x}", "{", "}", "&m=", "e=", "A"]
)


def test_the_parts_are_found_at_their_places() -> None:
    fields = SunTemplate("shop=corner&e={picc}&m={mac}#x").read(f"shop=corner&e={PICC}&m={MAC}#x")
    assert fields is not None
    assert (fields.picc, fields.mac) == (bytes.fromhex(PICC), bytes.fromhex(MAC))
    assert (fields.uid, fields.ctr, fields.file) == (b"", b"", b"")


def test_the_counter_in_clear_is_turned_to_the_order_of_the_cryptography() -> None:
    fields = SunTemplate("u={uid}x{ctr}x{mac}").read(f"u={UID}x000102x{MAC}")
    assert fields is not None
    assert (fields.uid, fields.ctr) == (bytes.fromhex(UID), bytes((2, 1, 0)))


@pytest.mark.parametrize(
    ("template", "text", "signed"),
    [
        ("e={picc}&m={mac}", f"e={PICC}&m={MAC}", ""),
        ("p={picc}&enc={file}&c={mac}", f"p={PICC}&enc={FILE}&c={MAC}", f"{FILE}&c="),
        ("p={picc}&enc={file}&c={mac}", f"p={PICC}&enc={FILE * 3}&c={MAC}", f"{FILE * 3}&c="),
        ("p={start}{picc}&c={mac}", f"p={PICC}&c={MAC}", f"{PICC}&c="),
        ("{start}p={picc}{file}{mac}", f"p={PICC}{FILE}{MAC}", f"p={PICC}{FILE}"),
        ("p={picc}{mac}&more", f"p={PICC}{MAC}&more", ""),
    ],
)
def test_what_the_card_signs_is_taken_raw(template: str, text: str, signed: str) -> None:
    fields = SunTemplate(template).read(text)
    assert fields is not None
    assert not fields.is_lrp
    assert fields.mac_input == signed.encode()


@pytest.mark.parametrize(
    "text",
    [
        "",
        f"e={PICC}&m={MAC} ",
        f"e={PICC}&m={MAC}\n",
        f"E={PICC}&m={MAC}",
        f"e={PICC.lower()}&m={MAC}",
        f"e={PICC}&m={MAC.lower()}",
        f"e={PICC[:-1]}&m={MAC}",
        f"e={PICC}&m={MAC}0",
        f"e={PICC[:-1]}٣&m={MAC}",
        f"m={MAC}&e={PICC}",
    ],
)
def test_what_the_card_did_not_write_does_not_fit(text: str) -> None:
    assert SunTemplate("e={picc}&m={mac}").read(text) is None


def test_a_character_of_the_template_stands_for_itself() -> None:
    template = SunTemplate("v=1.0&(e)={picc}&m={mac}")
    assert template.read(f"v=1.0&(e)={PICC}&m={MAC}")
    assert template.read(f"v=1x0&(e)={PICC}&m={MAC}") is None
    assert template.read(f"v=1.0&e={PICC}&m={MAC}") is None


def test_an_address_longer_than_a_tap_may_be_does_not_fit() -> None:
    template = SunTemplate("e={picc}&m={mac}&" + "x" * TEXT_MAX)
    assert template.read(f"e={PICC}&m={MAC}&" + "x" * TEXT_MAX) is None


@pytest.mark.parametrize(
    ("template", "message"),
    [
        ("e={picc}", "lacks {mac}"),
        ("m={mac}", "needs either"),
        ("u={uid}&m={mac}", "needs either"),
        ("c={ctr}&m={mac}", "needs either"),
        ("e={picc}&c={ctr}&m={mac}", "needs either"),
        ("e={picc}&m={mac}&n={mac}", "twice"),
        ("e={picc}&m={mac}&f={file}", "before {mac}"),
        ("e={picc}&m={mac}{start}", "before {mac}"),
        ("e={picc}&f={file}{start}&m={mac}", "before {file}"),
        ("e={piccc}&m={mac}", "{piccc} is no part"),
        ("e={picc}&m={mac}}", "no address has"),
        ("e={{picc}}&m={mac}", "no address has"),
        ("e={picc} m={mac}", "no address has"),
        ("ë={picc}&m={mac}", "no address has"),
    ],
)
def test_a_template_that_cannot_work_says_why(template: str, message: str) -> None:
    with pytest.raises(TemplateError, match=message.replace("{", r"\{")):
        SunTemplate(template)


@given(st.lists(PIECES | st.text(max_size=4), max_size=8).map("".join), st.text(max_size=200))
def test_no_template_and_no_text_breaks_the_parser(template: str, text: str) -> None:
    with contextlib.suppress(TemplateError):
        SunTemplate(template).read(text)
        SunTemplate(template).read(template)
