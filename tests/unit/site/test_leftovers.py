"""No page has a text that was not given to the translators."""

from __future__ import annotations

import itertools
import re
from collections.abc import Callable, Iterator

import pytest
from django.conf import settings
from django.test import Client, override_settings
from django.urls import URLPattern, URLResolver, get_resolver
from django.utils import timezone

from besnik.site.languages import LANGUAGES
from besnik.site.owner import rule_forms, term_forms
from support.leftovers import LANGUAGE, compile_pseudo, leftovers, pseudo

# What is the same in every language, and the tiers of the templates: an owner gives them names.
OWN = {
    "Besnik",
    "Red",
    "Silver",
    "Gold",
    "JSON",
    "CSV",
    "UTC",
    "esp32",
    "https://directus.example.com",
    *(name for _code, name in LANGUAGES),
}
SAMPLES = {
    "shop": ["corner"],
    "till": ["till-1"],
    "tap": ["1"],
    "card": ["ana"],
    "kind": list(rule_forms.FORMS),
    "part": list(term_forms.PARTS),
    "template": ["cafe_stamps"],
    "number": ["1"],
    "form": ["json"],
    "id": ["stamp"],
    "reward": ["coffee"],
    "key": ["none"],
    "person": ["1"],
    "reader": ["counter-1"],
    "rollout": ["1"],
    "adapter": ["directus"],
}


def addresses(
    patterns: list[URLPattern | URLResolver] | None = None, before: str = "/"
) -> Iterator[str]:
    for entry in get_resolver().url_patterns if patterns is None else patterns:
        route = before + str(entry.pattern)
        if isinstance(entry, URLResolver):
            if not route.startswith("/api/"):
                yield from addresses(entry.url_patterns, route)
        elif not route.endswith(("events", "logout")):
            yield route


def filled(route: str, samples: dict[str, list[str]]) -> Iterator[str]:
    """Yield the route with the demo's own things in it."""
    names = re.findall(r"<(?:\w+:)?(\w+)>", route)
    for values in itertools.product(*(samples[name] for name in names)):
        path = route
        for value in values:
            path = re.sub(r"<[^>]+>", value, path, count=1)
        yield path


def a_member() -> dict[str, list[str]]:
    from besnik.store.models import Member
    from besnik.store.people import links

    member = Member.objects.get(name="Ana Hoxha")
    member.language = LANGUAGE
    member.save()
    return {"member": [member.ref], "ref": [member.ref], "token": [links.token(member)]}


def a_rollout() -> None:
    from besnik.store import rollouts
    from besnik.store.models import Reader, Release

    now = timezone.now()
    rollouts.know([rollouts.Found(1, "1.2.0", "esp32", "6.3", 90_000)], now)
    rollouts.begin(Release.objects.get(), Reader.objects.get(), "all", now=now)


@pytest.fixture(scope="module")
def _pseudo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    folder = tmp_path_factory.mktemp("locale")
    compile_pseudo(folder)
    with override_settings(LOCALE_PATHS=[folder]):
        yield


def names() -> set[str]:
    """Return what the demo's people and things are called."""
    from besnik.store.models import Member, Program, Reader, Shop, Staff, Till

    tables = (Member, Program, Reader, Shop, Staff, Till)
    return {name for table in tables for name in table.objects.values_list("name", flat=True)}


def test_no_page_has_a_text_outside_the_catalogues(
    log_in: Callable[[str], Client], _pseudo: None
) -> None:
    called = re.compile("|".join(re.escape(name) for name in sorted(names() | OWN, key=len)[::-1]))
    samples = SAMPLES | a_member()
    a_rollout()
    client = log_in("owner")
    client.cookies[settings.LANGUAGE_COOKIE_NAME] = LANGUAGE
    wrong = []
    pages = 0
    paths = [path for route in addresses() for path in filled(route, samples)]
    for method, path in itertools.product(("get", "post"), paths):
        answer = getattr(client, method)(path)
        if not answer.streaming and "text/html" in answer.headers.get("Content-Type", ""):
            pages += 1
            left = leftovers(called.sub("", answer.content.decode()))
            wrong += [f"{path} ({answer.status_code}): {text}" for text in left]
    assert pages > 40
    assert not wrong, "use translate, gettext or bdi:\n" + "\n".join(dict.fromkeys(wrong))


def test_what_is_left_is_found() -> None:
    text = '<p>Здесь <bdi>Ana</bdi> <i title="Close">x</i></p><input placeholder="Name"> Hello'
    assert leftovers(text) == ["title='Close'", "placeholder='Name'", "Hello"]
    assert leftovers('<p data-text="Two words" data-key="a1" class="big red">12</p>') == [
        "data-text='Two words'"
    ]
    assert pseudo("%(n)s of <b>them</b>") == "%(n)s оф <b>тхем</b>"
