"""Every text of the pages is translated into all of the languages, and the pages use it."""

from __future__ import annotations

import os
import re
from pathlib import Path

import pytest
from babel.messages.catalog import Message
from django.test import Client
from django.utils import translation

from besnik import demo
from besnik.site import catalogues, messages, signals
from besnik.site.languages import LANGUAGES
from besnik.store.members import LANGUAGES as MEMBER_LANGUAGES

TRANSLATED = [key for key, _ in LANGUAGES if key != "en"]
PLACEHOLDER = re.compile(r"%\(\w+\)s|<[^>]+>")


def strings(message: Message) -> list[str]:
    found = message.string
    return list(found) if isinstance(found, tuple | list) else [found]


@pytest.mark.parametrize("language", TRANSLATED)
def test_a_catalogue_has_every_text_and_no_other(language: str) -> None:
    texts = {(m.id, m.context) for m in messages.used(language)}
    kept = {(m.id, m.context) for m in messages.load(language)}
    assert len(texts) > 90
    assert texts - kept == set(), "run python -m besnik.site.messages and translate"
    assert kept - texts == set(), "run python -m besnik.site.messages"


@pytest.mark.parametrize("language", TRANSLATED)
def test_every_text_is_translated_with_its_placeholders(language: str) -> None:
    catalog = messages.load(language)
    for message in catalog:
        if not message.id:
            continue
        found = strings(message)
        assert all(found), f"untranslated: {message.id}"
        assert not message.fuzzy, f"fuzzy: {message.id}"
        if message.pluralizable:
            assert len(found) == catalog.num_plurals, message.id
        wanted = set(
            PLACEHOLDER.findall(message.id if isinstance(message.id, str) else message.id[1])
        )
        for text in found:
            assert set(PLACEHOLDER.findall(text)) == wanted, message.id


@pytest.mark.parametrize(("language", "forms"), [("sq", 2), ("ru", 3), ("el", 2), ("fa", 1)])
def test_plural_forms(language: str, forms: int) -> None:
    assert messages.load(language).num_plurals == forms


@pytest.mark.parametrize(
    ("count", "text"),
    [(1, "штамп"), (3, "штампа"), (5, "штампов"), (21, "штамп"), (112, "штампов")],
)
def test_russian_counts(count: int, text: str) -> None:
    with translation.override("ru"):
        assert translation.ngettext("stamp", "stamps", count) == text


def test_a_catalogue_is_compiled_when_it_is_missing_or_older(tmp_path: Path) -> None:
    assert sorted(catalogues.compile_stale(tmp_path)) == sorted(TRANSLATED)
    assert catalogues.compile_stale(tmp_path) == []
    compiled = tmp_path / "fa/LC_MESSAGES/django.mo"
    os.utime(compiled, (0, 0))
    assert catalogues.compile_stale(tmp_path) == ["fa"]
    assert {file.suffix for file in tmp_path.rglob("*") if file.is_file()} == {".mo"}


def test_the_demo_s_cards_can_be_translated() -> None:
    assert {card.label for card in demo.CARDS} == set(signals.DEMO_LABELS)


def test_a_member_can_have_each_language_of_the_pages() -> None:
    assert [key for key, _ in LANGUAGES] == list(MEMBER_LANGUAGES)


@pytest.mark.parametrize(
    ("accepted", "language", "direction", "heading"),
    [
        ("en-GB,en;q=0.9", "en", "ltr", "Hold a card to the reader"),
        ("sq-AL", "sq", "ltr", "Afroni një kartë te lexuesi"),
        ("ru-RU,ru;q=0.9,en;q=0.5", "ru", "ltr", "Поднесите карту к считывателю"),
        ("el", "el", "ltr", "Πλησιάστε μια κάρτα στον αναγνώστη"),
        ("fa-IR,fa", "fa", "rtl", "کارت را نزدیک کارت‌خوان بگیرید"),
        ("ja", "en", "ltr", "Hold a card to the reader"),
    ],
)
def test_the_browser_s_language_is_used(
    client: Client, accepted: str, language: str, direction: str, heading: str
) -> None:
    page = client.get("/cashier/corner/till-1/", HTTP_ACCEPT_LANGUAGE=accepted).content.decode()
    assert f'<html lang="{language}" dir="{direction}">' in page
    assert heading in page


def test_a_chosen_language_stays(client: Client) -> None:
    answer = client.post("/language", {"language": "el", "next": "/cashier/corner/till-1/"})
    assert (answer.status_code, answer.headers["Location"]) == (302, "/cashier/corner/till-1/")
    page = client.get("/cashier/corner/till-1/", HTTP_ACCEPT_LANGUAGE="en").content.decode()
    assert '<html lang="el" dir="ltr">' in page


def test_a_language_switch_leads_nowhere_else(client: Client) -> None:
    answer = client.post("/language", {"language": "el", "next": "https://evil.example/"})
    assert answer.headers["Location"] == "/"
