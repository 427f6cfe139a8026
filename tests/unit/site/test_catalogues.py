"""Every text of the pages is translated into all of the languages, and the pages use it."""

from __future__ import annotations

import gettext
import os
from pathlib import Path

import pytest
from babel.messages.pofile import PoFileError
from django.utils import translation

from besnik import demo
from besnik.site import catalogues, messages, signals
from besnik.site.languages import LANGUAGES
from besnik.store.members import LANGUAGES as MEMBER_LANGUAGES

PAGE = """{% load i18n %}{% translate "Hello" %}
{% blocktranslate count n=n with name=name trimmed %}
{{ name }} has {{ n }} cup
{% plural %}
{{ name }} has {{ n }} cups
{% endblocktranslate %}
"""


@pytest.mark.parametrize("language", messages.TRANSLATED)
def test_every_text_is_translated_once_and_completely(language: str) -> None:
    assert len(messages.texts()) > 90
    wrong = messages.complaints(language)
    assert not wrong, "\n".join(wrong)


@pytest.mark.parametrize(("language", "forms"), [("sq", 2), ("ru", 3), ("el", 2), ("fa", 1)])
def test_plural_forms(language: str, forms: int) -> None:
    for room in catalogues.ROOMS:
        assert catalogues.load(language, room).num_plurals == forms


class Rooms:
    """A page with two texts, and rooms of a language as the test writes them."""

    def __init__(self, folder: Path) -> None:
        (folder / "site").mkdir()
        (folder / "site/cups.html").write_text(PAGE, encoding="utf-8")
        self.folder = folder
        self.source = folder / "locale"

    def write(self, room: str, entries: str, language: str = "ru") -> None:
        file = catalogues.room_file(language, room, self.source)
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(f'msgid ""\nmsgstr ""\n"Language: {language}\\n"\n\n{entries}')

    def wrong(self, language: str = "ru") -> list[str]:
        return messages.complaints(language, messages.texts(self.folder), self.source)


CUPS = """
msgid "%(name)s has %(n)s cup"
msgid_plural "%(name)s has %(n)s cups"
msgstr[0] "%(name)s: %(n)s чашка"
msgstr[1] "%(name)s: %(n)s чашки"
msgstr[2] "%(name)s: %(n)s чашек"
"""
HELLO = '\nmsgid "Hello"\nmsgstr "Здравствуйте"\n'


@pytest.fixture
def rooms(tmp_path: Path) -> Rooms:
    return Rooms(tmp_path)


def test_a_text_may_stand_in_any_room_and_in_two_if_both_agree(rooms: Rooms) -> None:
    rooms.write("owner", CUPS + HELLO)
    assert rooms.wrong() == []
    rooms.write("member", HELLO)
    assert rooms.wrong() == []


def test_a_text_of_no_room_is_told_with_its_file_and_what_to_do(rooms: Rooms) -> None:
    rooms.write("owner", CUPS)
    [wrong] = rooms.wrong()
    assert wrong.startswith("site/cups.html: 'Hello' is in no ru room: run python -m ")


@pytest.mark.parametrize(
    ("entries", "said"),
    [
        (HELLO.replace("Здравствуйте", ""), "'Hello' is not translated"),
        (HELLO.replace("Здравствуйте", "%(n)s"), "'Hello' must have []"),
        ("\n#, fuzzy" + HELLO, "'Hello' is marked fuzzy"),
        (HELLO + '\nmsgid "Bye"\nmsgstr "До свидания"\n', "'Bye' is not used"),
        (HELLO.replace("Hello", "hello"), "'hello' is not used"),
    ],
)
def test_a_wrong_entry_is_told_with_its_room(rooms: Rooms, entries: str, said: str) -> None:
    rooms.write("owner", CUPS + entries)
    assert rooms.wrong()[0].startswith(f"ru/owner.po: {said}")


def test_a_missing_plural_form_is_told(rooms: Rooms) -> None:
    rooms.write("owner", HELLO + CUPS.replace("чашек", "").replace('%(name)s: %(n)s "', '"'))
    assert "has %(n)s cup' is not translated" in rooms.wrong()[0]


def test_two_rooms_that_differ_are_told(rooms: Rooms) -> None:
    rooms.write("access", CUPS + HELLO)
    rooms.write("api", HELLO.replace("Здравствуйте", "Привет"))
    assert rooms.wrong() == ["ru/api.po: 'Hello' is said otherwise in ru/access.po: keep one"]


def test_the_rooms_become_one_catalogue(rooms: Rooms, tmp_path: Path) -> None:
    rooms.write("access", HELLO)
    rooms.write("api", CUPS + HELLO.replace("Здравствуйте", "Привет"))
    assert catalogues.compile_stale(tmp_path / "out", rooms.source) == ["ru"]
    with (tmp_path / "out/ru/LC_MESSAGES/django.mo").open("rb") as file:
        compiled = gettext.GNUTranslations(file)
    assert compiled.gettext("Hello") == "Здравствуйте"
    assert compiled.ngettext("%(name)s has %(n)s cup", "", 22) == "%(name)s: %(n)s чашки"


def test_a_room_gets_what_no_other_room_has_and_loses_what_nobody_uses(rooms: Rooms) -> None:
    rooms.write("access", HELLO)
    rooms.write("owner", '\nmsgid "Bye"\nmsgstr "До свидания"\n')
    found = messages.texts(rooms.folder)
    assert messages.update("ru", "owner", ["cups.html"], found, rooms.source) == 1
    [entry] = [m for m in catalogues.load("ru", "owner", rooms.source) if m.id]
    assert entry.id == ("%(name)s has %(n)s cup", "%(name)s has %(n)s cups")
    assert catalogues.strings(entry) == ["", "", ""]


def test_a_broken_room_is_named(rooms: Rooms) -> None:
    rooms.write("owner", 'message "Hello"\n')
    with pytest.raises(PoFileError) as caught:
        rooms.wrong()
    assert caught.value.__notes__ == [f"This is {rooms.source}/ru/owner.po."]


@pytest.mark.parametrize(
    ("count", "text"),
    [(1, "цифры"), (3, "цифр"), (21, "цифры"), (112, "цифр")],
)
def test_russian_counts(count: int, text: str) -> None:
    one = "Write at most %(shown)s digit after the decimal mark."
    with translation.override("ru"):
        said = translation.ngettext(one, one.replace("digit", "digits"), count)
    assert f" {text} " in said


def test_a_catalogue_is_compiled_when_it_is_missing_or_made_from_others(
    rooms: Rooms, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    rooms.write("owner", HELLO)
    rooms.write("owner", HELLO.replace("Здравствуйте", "Përshëndetje"), "sq")
    assert catalogues.compile_stale(out, rooms.source) == ["ru", "sq"]
    assert catalogues.compile_stale(out, rooms.source) == []
    rooms.write("owner", HELLO.replace("Здравствуйте", "Привет"))
    os.utime(catalogues.room_file("ru", "owner", rooms.source), (0, 0))
    assert catalogues.compile_stale(out, rooms.source) == ["ru"]
    rooms.write("api", HELLO, "sq")
    assert catalogues.compile_stale(out, rooms.source) == ["sq"]
    names = {file.name for file in out.rglob("*") if file.is_file()}
    assert names == {"django.mo", "django.sources"}


def test_the_demo_s_cards_can_be_translated() -> None:
    assert {card.label for card in demo.CARDS} == set(signals.DEMO_LABELS)


def test_a_member_can_have_each_language_of_the_pages() -> None:
    assert [key for key, _ in LANGUAGES] == list(MEMBER_LANGUAGES)
