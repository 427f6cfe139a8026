"""Where readers come in without TLS, every page says so."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import msgspec
import pytest
from django.conf import settings
from django.test import Client

from besnik import demo
from besnik.site import catalogues
from besnik.site.languages import LANGUAGES

PAGES = ("/", f"/cashier/{demo.SHOP}/{demo.TILL}/", "/counter/", "/demo/", "/nowhere")
WARNING = (
    "The line to the readers is not encrypted: anyone on this network can read and forge taps. "
    "Your technician can set up certificates."
)


@contextmanager
def shop(*, plain: bool) -> Iterator[None]:
    before = settings.BESNIK
    site = msgspec.structs.replace(before.site, counter_socket="/nowhere/control.sock")
    broker = msgspec.structs.replace(before.broker, plain=plain)
    settings.BESNIK = msgspec.structs.replace(before, site=site, broker=broker)
    yield
    settings.BESNIK = before


def translated(language: str) -> str:
    if language == "en":
        return WARNING
    message = catalogues.merged(language).get(WARNING)
    assert message is not None
    return str(message.string)


@pytest.mark.parametrize("language", [key for key, _ in LANGUAGES])
@pytest.mark.parametrize("path", PAGES)
def test_every_page_warns_of_plain_mqtt_in_the_visitor_s_language(
    client: Client, path: str, language: str
) -> None:
    with shop(plain=True):
        assert (
            translated(language) in client.get(path, HTTP_ACCEPT_LANGUAGE=language).content.decode()
        )


@pytest.mark.parametrize("path", PAGES)
def test_with_certificates_no_page_warns(client: Client, path: str) -> None:
    with shop(plain=False):
        assert WARNING not in client.get(path, HTTP_ACCEPT_LANGUAGE="en").content.decode()
