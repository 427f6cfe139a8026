"""Texts of rules: whole in five languages, in their plurals, and true to the engine."""

from __future__ import annotations

import datetime as dt
import re
import string
from decimal import Decimal
from types import ModuleType

import msgspec
import pytest

from besnik.loyalty.membership import JoiningGift, Sunset
from besnik.loyalty.periods import AfterDays, AfterMonths, Expiry, Idle, Never, PeriodEnd
from besnik.loyalty.program import Program
from besnik.loyalty.rewards import Access, AmountOff, PercentOff, Reward
from besnik.loyalty.rule_text import rule_text
from besnik.loyalty.rules import (
    Cap,
    Multiplier,
    PerAmount,
    PerItem,
    PerVisit,
    Rule,
    RuleSet,
    SpendThreshold,
    TenderBonus,
    When,
)
from besnik.loyalty.templates import TEMPLATES, savings
from besnik.loyalty.text import program_text
from besnik.loyalty.texts import el, en, fa, ru, sq
from besnik.loyalty.texts.catalogue import (
    LANGUAGES,
    Count,
    Factor,
    Language,
    Message,
    Names,
    Share,
    category,
    counted,
    decimal,
    say,
)
from besnik.loyalty.tiers import (
    Anniversary,
    CalendarWindow,
    Lifetime,
    Measure,
    RollingWindow,
    Tier,
    TierPlan,
    Window,
)
from support.shop import BASIS

MODULES: dict[Language, ModuleType] = {"en": en, "sq": sq, "ru": ru, "el": el, "fa": fa}
CATEGORIES = {"ru": {"one", "few", "many"}}


def fields(text: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(text) if name}


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_message_is_there_and_speaks_of_the_same(language: Language) -> None:
    module = MODULES[language]
    assert module.TEXTS.keys() == en.TEXTS.keys()
    assert module.WORDS.keys() == en.WORDS.keys()
    assert module.PHRASES.keys() == en.PHRASES.keys()
    for id, text in module.TEXTS.items():
        assert fields(text) == fields(en.TEXTS[id]), id
    for forms in module.PHRASES.values():
        assert forms.keys() == CATEGORIES.get(language, {"one", "other"})
        assert all(fields(form) == {"n"} for form in forms.values())


@pytest.mark.parametrize("language", [name for name in LANGUAGES if name != "en"])
def test_no_message_was_left_in_english(language: Language) -> None:
    module = MODULES[language]
    bare = {"tier_count", "reward_other", "paid"}  # nothing but names and figures
    same = [id for id, text in module.TEXTS.items() if text == en.TEXTS[id] and id not in bare]
    assert same == []
    assert [word for word in module.WORDS if module.WORDS[word] == en.WORDS[word]] == []
    foreign = {"ru": "[а-яё]", "el": "[α-ωά-ώ]", "fa": "[ا-ی]", "sq": "[a-zëç]"}[language]
    for id, text in module.TEXTS.items():
        words = re.sub(r"\{\w+\}", "", text)
        assert re.search(foreign, words) or not re.search(r"\w", words), id


@pytest.mark.parametrize(
    ("language", "n", "expected"),
    [
        ("en", 1, "1 point"),
        ("en", 0, "0 points"),
        ("sq", 2, "2 pikë"),
        ("ru", 1, "1 балл"),
        ("ru", 2, "2 балла"),
        ("ru", 5, "5 баллов"),
        ("ru", 11, "11 баллов"),
        ("ru", 21, "21 балл"),
        ("ru", 112, "112 баллов"),
        ("ru", 122, "122 балла"),
        ("el", 1, "1 πόντος"),
        ("el", 2, "2 πόντοι"),
        ("fa", 0, "0 امتیاز"),
        ("ru", Decimal("1.5"), "1.5 балла"),
    ],
)
def test_counted_things_have_their_plural(
    language: Language, n: int | Decimal, expected: str
) -> None:
    assert counted(n, "point", language) == expected
    if isinstance(n, int):
        assert expected in say(Message("cap_day", {"most": Count(n, "point")}), language)


def test_plural_categories_are_those_of_cldr() -> None:
    babel = pytest.importorskip("babel")
    for language in LANGUAGES:
        rule = babel.Locale(language).plural_form
        assert [category(n, language) for n in range(250)] == [rule(n) for n in range(250)]
        parts = [Decimal(n) / 4 for n in range(-20, 100)]
        assert [category(n, language) for n in parts] == [rule(n.normalize()) for n in parts]


def test_figures_are_exact() -> None:
    assert [decimal(n, 2) for n in (0, 5, 100, 1_250)] == ["0", "0.05", "1", "12.50"]
    assert decimal(1_234, 0) == "1234"
    values = {"name": "Gold", "share": Share(6_250)}
    assert say(Message("tier_times", values), "en") == "Gold earns 62.5 % more."
    for bp, times in ((15_000, "1.5"), (20_000, "2"), (100_000, "10")):
        said = say(Message("multiplier", {"times": Factor(bp)}), "en")
        assert said == f"You earn {times} times as much."
    assert say(Message("only_channels", {"names": Names(("online", "kiosk 4"))}), "fa").endswith(
        "اینترنتی، kiosk 4."
    )


RULES: tuple[Rule, ...] = (
    PerAmount(id="a", per_minor=100),
    PerAmount(id="b", per_minor=100, above_minor=500, rounding="half_up"),
    PerAmount(id="c", per_minor=100, above_minor=500, reading="gate", rounding="ceil"),
    PerAmount(id="d", per_minor=100, rounding="half_even", categories=("book",)),
    PerAmount(id="cash-back", unit="EUR", give=5, per_minor=1_000),
    PerVisit(id="e"),
    PerVisit(id="f", from_minor=500),
    PerItem(id="g", unit="stamp"),
    PerItem(id="h", unit="stamp", categories=("coffee",)),
    SpendThreshold(id="i", each_minor=5_000),
    SpendThreshold(id="j", each_minor=5_000, carry_over=False),
    TenderBonus(id="k", tender="house_card"),
    Multiplier(id="l", times_bp=20_000),
    *(
        Cap(id=f"m-{per}", most=5, per=per)
        for per in ("sale", "day", "week", "month", "year", "ever")
    ),
    PerVisit(
        id="n",
        when=When(
            first_day=dt.date(2026, 2, 1),
            last_day=dt.date(2026, 2, 28),
            shops=("verona",),
            channels=("online",),
            weekdays=("mon",),
            levels=(0, 7),
        ),
    ),
)
EXPIRIES: dict[str, Expiry] = {
    "point": PeriodEnd(12, 31),
    "status": PeriodEnd(12),
    "stamp": AfterDays(90),
    "item": AfterMonths(6),
    "EUR": Never(),
    "GBP": Idle(365),
}


def everything(window: Window, measure: Measure) -> Program:
    """A program with one of each thing that can be said."""
    rules = RuleSet(version=1, first_day=dt.date(2026, 1, 1), rules=RULES, base="best")
    tiers = (
        Tier(name="Red", threshold=0),
        Tier(name="Gold", threshold=500, times_bp=15_000, benefits=("lounge",)),
    )
    return msgspec.structs.replace(
        savings(BASIS),
        rule_sets=(rules,),
        tiers=TierPlan(tiers=tiers, window=window, measure=measure),
        rewards=(
            Reward(id="1", title="five", kind=AmountOff(500), cost=50),
            Reward(id="2", title="ten", kind=PercentOff(1_000), cost=50),
            Reward(id="3", title="parking", kind=Access(), cost=50),
        ),
        expiry=EXPIRIES,
        pending_days=14,
        joining_gift=JoiningGift(10),
        paid=None,
        sunset=Sunset(dt.date(2026, 6, 1), 90),
    )


def test_every_text_is_used_and_every_thing_has_its_text() -> None:
    used: set[str] = {"tier_missing", "tier_pace", "birthday", "expiring", "thanks"}
    windows: tuple[tuple[Window, Measure], ...] = (
        (CalendarWindow(), "spend"),
        (RollingWindow(90), "status"),
        (Anniversary(), "visits"),
        (Lifetime(), "spend"),
    )
    for window, measure in windows:
        for message in program_text(everything(window, measure)):
            used.add(message.id)
            for language in LANGUAGES:
                assert "{" not in say(message, language)
    used |= {message.id for message in program_text(TEMPLATES["paid_vip"](BASIS))}
    unused = {id for id in en.TEXTS if not id.startswith("lint_")} - used
    assert unused == set()


def test_a_rule_is_said_in_each_language() -> None:
    rule = PerAmount(id="spend", give=2, per_minor=100, above_minor=500, reading="gate")
    said = [say(rule_text(rule, savings(BASIS))[0], language) for language in LANGUAGES]
    assert said == [
        "2 points for every EUR 1, on a sale of EUR 5 or more.",
        "2 pikë për çdo EUR 1, në blerje prej EUR 5 ose më shumë.",
        "2 балла за каждые EUR 1 при покупке от EUR 5.",
        "2 πόντοι για κάθε EUR 1, σε αγορά από EUR 5 και πάνω.",
        "2 امتیاز برای هر EUR 1، در خرید EUR 5 یا بیشتر.",
    ]
