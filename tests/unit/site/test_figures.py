"""Money, points and shares in the five languages, and amounts as people type them."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from fractions import Fraction

import pytest
from django.template import Context, Template
from django.utils import translation
from hypothesis import given
from hypothesis import strategies as st

from besnik.loyalty.money import Currency
from besnik.loyalty.texts.catalogue import Count, Message, Money, Names, Share
from besnik.site import figures
from besnik.site.figures import TypedError, parse_typed_amount, parse_typed_count

NBSP, LRM, LRI, PDI = "\u00a0", "\u200e", "\u2066", "\u2069"
EUR, LEK, RUB = (Currency.named(code) for code in ("EUR", "ALL", "RUB"))
RIAL, TOMAN = Currency("IRR", 0), Currency("IRR", 0, "toman")
ALL_MONEY = [EUR, LEK, RUB, RIAL, TOMAN, Currency.named("USD"), Currency.named("CHF")]
LANGUAGES = ["en", "sq", "ru", "el", "fa"]


@pytest.mark.parametrize(
    ("language", "minor", "currency", "text"),
    [
        ("sq", 1_234, LEK, "1~234~Lekë"),
        ("ru", 123_450, RUB, "1~234,50~₽"),
        ("el", 123_450, EUR, "1.234,50~€"),
        ("fa", 1_234, RIAL, "۱٬۲۳۴~ریال"),
        ("en", 123_450, Currency.named("USD"), "$1,234.50"),
        ("en", 1_234, LEK, "ALL~1,234"),
        ("el", 1_234, LEK, "1.234~λεκ"),
        ("fa", 123_450, EUR, "۱٬۲۳۴٫۵۰~یورو"),
        ("sq", -1_250, EUR, "-12,50~€"),
        ("en", -1_250, EUR, "-€12.50"),
        ("fa", -1_250, EUR, f"{LRI}\u2212۱۲٫۵۰{PDI}~یورو"),
        ("fa", 250_000, TOMAN, "۲۵٬۰۰۰~تومان"),
        ("fa", 1_235, TOMAN, "۱۲۳٫۵~تومان"),
        ("ru", 10, TOMAN, "1~томан"),
        ("ru", 30, TOMAN, "3~томана"),
        ("ru", 15, TOMAN, "1,5~томана"),
        ("ru", 21, RIAL, "21~риал"),
        ("en", 250_000, TOMAN, "25,000~tomans"),
        ("el", 0, EUR, "0,00~€"),
    ],
)
def test_an_amount(language: str, minor: int, currency: Currency, text: str) -> None:
    with translation.override(language):
        assert figures.amount(minor, currency) == text.replace("~", NBSP)


@pytest.mark.parametrize(
    ("average", "text"),
    [(Decimal("1234.5"), 1235), (Decimal("1235.5"), 1236), (Fraction(2469, 2), 1235), (0.5, 1)],
)
def test_a_half_of_lek_is_rounded_up_and_not_to_even(
    average: Decimal | Fraction | float, text: int
) -> None:
    with translation.override("sq"):
        assert figures.amount(average, LEK) == figures.amount(text, LEK)
        assert figures.amount(-average, LEK) == figures.amount(-text, LEK)


def test_a_change_has_its_sign() -> None:
    with translation.override("en"):
        assert figures.amount(1_250, EUR, signed=True) == "+€12.50"
        assert figures.amount(0, EUR, signed=True) == "€0.00"
        assert figures.points(37, "point", signed=True) == "+37 points"
    with translation.override("fa"):
        assert figures.points(37, "point", signed=True) == f"{LRI}+۳۷{PDI} امتیاز"
        assert figures.amount(-10, TOMAN) == f"{LRI}\u2212۱{PDI}{NBSP}تومان"


@pytest.mark.parametrize(
    ("language", "count", "unit", "text"),
    [
        ("ru", 1, "point", "1 балл"),
        ("ru", 2, "point", "2 балла"),
        ("ru", 11, "point", "11 баллов"),
        ("ru", 21, "point", "21 балл"),
        ("ru", 101, "point", "101 балл"),
        ("ru", 111, "point", "111 баллов"),
        ("ru", -21, "point", "-21 балл"),
        ("ru", Decimal("0.5"), "point", "0,5 балла"),
        ("ru", Decimal("1.50"), "point", "1,5 балла"),
        ("ru", 3, "stamp", "3 штампа"),
        ("ru", 5, "visit", "5 визитов"),
        ("sq", 1, "stamp", "1 vulë"),
        ("sq", 2, "stamp", "2 vula"),
        ("sq", 2, "point", "2 pikë"),
        ("el", 1, "point", "1 πόντος"),
        ("el", 1_234, "point", "1.234 πόντοι"),
        ("fa", 0, "point", "۰ امتیاز"),
        ("fa", 1_234, "stamp", "۱٬۲۳۴ مهر"),
        ("en", 1, "item", "1 free item"),
        ("en", 12, "bean", "12 bean"),
    ],
)
def test_points(language: str, count: int | Decimal, unit: str, text: str) -> None:
    with translation.override(language):
        assert figures.points(count, unit) == text
        assert figures.points_word(count, unit) == text.split(" ", 1)[1]


def test_a_unit_has_a_name_for_headings() -> None:
    with translation.override("ru"):
        assert figures.unit_name("point", EUR) == "баллы"
        assert figures.unit_name("EUR", EUR) == "€"
    with translation.override("fa"):
        assert figures.unit_name("stamp", EUR) == "مهرها"
        assert figures.unit_name("IRR", TOMAN) == "تومان"


@pytest.mark.parametrize(
    ("language", "text"),
    [("en", "12.5%"), ("sq", "12,5%"), ("ru", "12,5~%"), ("el", "12,5%"), ("fa", "۱۲٫۵٪")],
)
def test_a_share(language: str, text: str) -> None:
    with translation.override(language):
        for share in (0.125, Decimal("0.125"), Fraction(1, 8)):
            found = Template("{% load figures %}{{ share|percent }}").render(
                Context({"share": share})
            )
            assert found == text.replace("~", NBSP)


def test_a_rule_is_said_with_the_figures_of_the_language() -> None:
    give = Message("per_amount", {"give": Count(2, "point"), "per": Money(1_000, TOMAN)})
    until = Message("until_day", {"day": dt.date(2026, 3, 21)})
    more = Message("tier_times", {"name": "Gold", "share": Share(1_250)})
    names = Message("only_channels", {"names": Names(("online",))})
    with translation.override("fa"):
        assert figures.say(give) == f"۲ امتیاز برای هر ۱۰۰{NBSP}تومان خرید."
        assert figures.say(until) == "تا پایان ۱ فروردین ۱۴۰۵."
        assert "۱۲٫۵٪" in figures.say(more)
        assert "اینترنتی" in figures.say(names)
    with translation.override("ru"):
        assert "21 мар. 2026" in figures.say(until)


def test_a_name_of_the_other_direction_does_not_turn_its_sentence_round() -> None:
    def first(name: str) -> str:
        return figures.say(Message("tier_first", {"name": name}))

    with translation.override("fa"):
        assert first("Gold").startswith("\u2068Gold\u2069: ")
        assert first("طلایی").startswith("طلایی: ")
    with translation.override("en"):
        assert first("طلایی").startswith("\u2068طلایی\u2069: ")
        assert first("Gold").startswith("Gold: ")


@pytest.mark.parametrize(
    ("language", "typed", "currency", "minor"),
    [
        ("el", "1.234,50 €", EUR, 123_450),
        ("el", "12,5", EUR, 1_250),
        ("en", "EUR 12.50", EUR, 1_250),
        ("en", "€12.50", EUR, 1_250),
        ("sq", "1 234 Lekë", LEK, 1_234),
        ("sq", "1.234", LEK, 1_234),
        ("ru", "1\u00a0234,50\u00a0₽", RUB, 123_450),
        ("ru", "1 234,5 руб".removesuffix(" руб"), RUB, 123_450),
        ("fa", "۱۲٫۵۰", EUR, 1_250),
        ("fa", "۱۲/۵۰", EUR, 1_250),
        ("fa", "١٢٫٥", EUR, 1_250),
        ("hi", "१२.५", EUR, 1_250),
        ("en", "１２．５０".replace("．", "."), EUR, 1_250),
        ("fa", "۲۵٬۰۰۰", TOMAN, 250_000),
        ("fa", "25,000", TOMAN, 250_000),
        ("fa", "۲۵،۰۰۰", TOMAN, 250_000),
        ("fa", "25000 تومان", TOMAN, 250_000),
        ("fa", "250000 ريال", TOMAN, 250_000),
        ("fa", "۱۲۳٫۵", TOMAN, 1_235),
        ("fa", "25000", RIAL, 25_000),
        ("fa", "25000 تومان", RIAL, 250_000),
        ("en", "25,000 tomans", TOMAN, 250_000),
        ("ru", "3 томана", TOMAN, 30),
        ("fa", f"{LRM}۱۲ یورو", EUR, 1_200),
    ],
)
def test_what_is_typed_is_read(language: str, typed: str, currency: Currency, minor: int) -> None:
    with translation.override(language):
        assert parse_typed_amount(typed, currency) == minor


@given(st.integers(0, 10**12), st.sampled_from(ALL_MONEY), st.sampled_from(LANGUAGES))
def test_what_is_shown_can_be_typed(minor: int, currency: Currency, language: str) -> None:
    with translation.override(language):
        assert parse_typed_amount(figures.amount(minor, currency), currency) == minor
        assert parse_typed_amount(figures.as_typed(minor, currency), currency) == minor


@pytest.mark.parametrize(
    ("typed", "currency", "said"),
    [
        ("1.234", EUR, "“1.234” can mean two amounts: write it without a mark between thousands"),
        ("12.345678", EUR, "Write at most 2 digits after the decimal mark."),
        ("12.5", LEK, "Write a whole amount, without decimals."),
        ("12.55", TOMAN, "Write at most 1 digit after the decimal mark."),
        ("", EUR, "Write the amount in digits, with at most one decimal mark."),
        ("-5", EUR, "Write the amount in digits, with at most one decimal mark."),
        ("5 USD", EUR, "Write the amount in digits, with at most one decimal mark."),
        ("9" * 40, EUR, "This amount is too large: check the digits."),
    ],
)
def test_what_cannot_be_read_is_refused_with_what_to_do(
    typed: str, currency: Currency, said: str
) -> None:
    with translation.override("en"), pytest.raises(TypedError) as caught:
        parse_typed_amount(typed, currency)
    assert str(caught.value).startswith(said)


def test_a_refusal_is_in_the_page_s_language() -> None:
    with translation.override("el"), pytest.raises(TypedError, match="1234,00"):
        parse_typed_amount("1.234", EUR)
    with translation.override("fa"), pytest.raises(TypedError, match="۱۲۳۴٫۰۰"):
        parse_typed_amount("۱.۲۳۴", EUR)


def test_points_are_typed_whole() -> None:
    assert parse_typed_count("۱٬۲۳۴") == parse_typed_count("1 234") == 1_234
    with translation.override("en"):
        for typed in ("", "1.5", "x", "-3"):
            with pytest.raises(TypedError, match="whole number"):
                parse_typed_count(typed)
        with pytest.raises(TypedError, match="too large"):
            parse_typed_count("9" * 40)


PAGE = (
    "{% load figures %}{{ minor|amount:euro }} {{ minor|amount_change:euro }}"
    " {{ minor|typed_amount:euro }} {{ count|points:'stamp' }} {{ count|points_change:'stamp' }}"
    " {{ count|points_word:'stamp' }} {% quantity minor 'EUR' euro %} {% quantity 2 'point' euro %}"
    " {% quantity_change 2 'point' euro %} {{ rule|say }} {{ 1234.56|number:1 }}"
    " {{ tel|phone }} {{ uid|code }} {{ uid|digits }}"
)


def test_the_filters_of_templates() -> None:
    context = Context(
        {
            "minor": 1_250,
            "count": 3,
            "euro": EUR,
            "rule": Message("carried"),
            "tel": "+355691234567",
            "uid": "04A1<B",
        }
    )
    with translation.override("fa"):
        text = Template(PAGE).render(context).replace(NBSP, " ")
    assert text == (
        f"۱۲٫۵۰ یورو {LRI}+۱۲٫۵۰{PDI} یورو ۱۲٫۵۰ ۳ مهر {LRI}+۳{PDI} مهر مهر ۱۲٫۵۰ یورو ۲ امتیاز"
        f" {LRI}+۲{PDI} امتیاز باقی‌مانده برای دفعهٔ بعد حساب می‌شود. ۱٬۲۳۴٫۶"
        ' <bdi dir="ltr">+۳۵۵ ۶۹ ۱۲۳ ۴۵۶۷</bdi> <bdi dir="ltr">04A1&lt;B</bdi> ۰۴A۱&lt;B'
    )
