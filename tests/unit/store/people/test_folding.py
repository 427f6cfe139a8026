"""Names as a search compares them, phone numbers in one form, codes that find typing errors."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from besnik.store.people.codes import ALPHABET, LENGTH, derived_code, grouped, new_code, read_code
from besnik.store.people.folding import fold
from besnik.store.people.phones import PhoneError, country_of, mask, mask_in, normalise

ZWNJ = "\u200c"


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Ελένη Παπαδοπούλου", "ΕΛΕΝΗ ΠΑΠΑΔΟΠΟΥΛΟΥ"),
        ("Γιώργος", "ΓΙΩΡΓΟΣ"),
        ("Çelik Dënja", "celik DENJA"),
        ("Фёдор Йорк", "федор иорк"),
        ("علي كريمي", "علی کریمی"),
        (f"محمد{ZWNJ}علی", "محمدعلی"),
        ("آرش", "ارش"),
        ("رئوف", "ريوف"),
        ("ژاله خانۀ", "ژاله خانه"),
        ("فاطمة", "فاطمه"),
        ("۱۲ نفر", "12 نفر"),
        ("O’Brien", "obrien"),
        ("Anna-Maria  Łukasz", "anna maria lukasz"),
        ("Straße", "STRASSE"),
        ("ﬁona", "Fiona"),
    ],
)
def test_names_that_are_typed_in_different_ways_are_the_same(one: str, other: str) -> None:
    assert fold(one) == fold(other) != ""


def test_different_names_stay_different() -> None:
    names = ["Ana", "Anna", "Hana", "علی", "عالی", "Елена", "Ελένη"]
    assert len({fold(name) for name in names}) == len(names)


@given(st.text(max_size=60))
def test_folding_again_changes_nothing(name: str) -> None:
    assert fold(fold(name)) == fold(name)


@pytest.mark.parametrize(
    ("typed", "country", "number"),
    [
        ("069 123 4567", "AL", "+355691234567"),
        ("٠٦٩ ١٢٣ ٤٥٦٧", "AL", "+355691234567"),
        ("۰۹۱۲ ۳۴۵ ۶۷۸۹", "IR", "+989123456789"),
        ("+30 697 123 4567", "AL", "+306971234567"),
        ("0030 697-123-4567", "AL", "+306971234567"),
        ("+7 (912) 345-67-89", "", "+79123456789"),
    ],
)
def test_a_phone_number_has_one_form(typed: str, country: str, number: str) -> None:
    assert normalise(typed, country) == number


@pytest.mark.parametrize(
    ("typed", "country", "code"),
    [
        ("069 123 4567", "", "phone_country"),
        ("12", "AL", "phone_wrong"),
        ("069 123 4567 ext 5", "AL", "phone_wrong"),
        ("+999 1234", "AL", "phone_wrong"),
        ("ana@example.org", "AL", "phone_wrong"),
        ("", "AL", "phone_wrong"),
    ],
)
def test_what_is_no_phone_number_is_refused(typed: str, country: str, code: str) -> None:
    with pytest.raises(PhoneError) as caught:
        normalise(typed, country)
    assert caught.value.code == code


def test_the_country_is_the_time_zones() -> None:
    zones = ["Europe/Tirane", "Asia/Tehran", "Europe/Athens", "UTC"]
    assert [country_of(zone) for zone in zones] == ["AL", "IR", "GR", ""]


def test_of_a_phone_number_only_the_end_is_shown() -> None:
    assert (mask("+355691234567"), mask("")) == ("•••4567", "")


def test_phone_numbers_in_a_text_are_masked_and_prices_are_not() -> None:
    text = "Call 069 123 4567 or +30 (697) 123-45-67, ۰۹۱۲۳۴۵۶۷۸۹! On 21.11.2026 I paid 1,250 ALL."
    assert mask_in(text) == "Call •••4567 or •••4567, •••۶۷۸۹! On 21.11.2026 I paid 1,250 ALL."


def test_a_printed_code_is_read_however_it_is_typed() -> None:
    code = new_code()
    assert read_code(f" {grouped(code).lower().replace('-', ' ')} ") == code


@given(st.integers(0, LENGTH - 1), st.sampled_from(ALPHABET))
def test_every_wrong_character_of_a_code_is_found(place: int, wrong: str) -> None:
    code = derived_code("test", str(place))
    typed = code[:place] + wrong + code[place + 1 :]
    assert (read_code(typed) == code) is (typed == code)
    assert typed == code or read_code(typed) is None


@given(st.integers(0, LENGTH - 2), st.integers(0, 1000))
def test_two_characters_that_were_swapped_are_found(place: int, number: int) -> None:
    code = derived_code("test", str(number))
    typed = code[:place] + code[place + 1] + code[place] + code[place + 2 :]
    assert typed == code or read_code(typed) is None


def test_codes_cannot_be_guessed_from_each_other() -> None:
    assert len({derived_code("coupon", str(number)) for number in range(1000)}) == 1000
    assert derived_code("coupon", "1") == derived_code("coupon", "1")
    assert derived_code("coupon", "1") != derived_code("other", "1")
