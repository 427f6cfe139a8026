"""Answers that say what went wrong: ``application/problem+json`` (RFC 9457).

``code`` is a word for programs that never changes, ``detail`` a sentence for people in the
language that was asked for.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any, Final

import msgspec
from django.db import InterfaceError, OperationalError
from django.http import Http404, HttpRequest, HttpResponse
from django.utils.translation import gettext as _
from ninja import NinjaAPI
from ninja.errors import AuthenticationError, Throttled

from besnik.store.till import TillError

CONTENT_TYPE: Final = "application/problem+json"

_log = logging.getLogger(__name__)


class Problem(msgspec.Struct, frozen=True, omit_defaults=True):
    """What went wrong; ``field`` names what of the request it is about, where that is known."""

    status: int
    code: str
    detail: str
    title: str
    field: str = ""
    type: str = "about:blank"


class RequestError(ValueError):
    """A request that cannot be read; ``field`` is where, as JSON Path."""

    def __init__(self, status: int, code: str, text: str, field: str = "") -> None:
        super().__init__(text)
        self.status, self.code, self.text, self.field = status, code, text, field


def problem(
    status: int, code: str, detail: str, field: str = "", headers: Mapping[str, str] | None = None
) -> HttpResponse:
    """Return the answer for a problem."""
    said = Problem(status, code, detail, HTTPStatus(status).phrase, field)
    return HttpResponse(
        msgspec.json.encode(said), status=status, content_type=CONTENT_TYPE, headers=headers
    )


def add_to(api: NinjaAPI) -> None:
    """Let ``api`` answer every exception as a problem."""
    handlers: Mapping[type[Exception], Any] = {
        TillError: _refused,
        RequestError: _unreadable,
        AuthenticationError: _unknown,
        Throttled: _throttled,
        Http404: _missing,
        OperationalError: _away,
        InterfaceError: _away,
        Exception: _failed,
    }
    for kind, handler in handlers.items():
        api.add_exception_handler(kind, handler)


def not_found() -> HttpResponse:
    """Return the answer for an address that does not exist."""
    text = _("There is no such address. The addresses are listed in openapi.json.")
    return problem(404, "no_such_address", text)


def _refused(_request: HttpRequest, error: TillError) -> HttpResponse:
    return problem(error.status, error.code, error.text)


def _unreadable(_request: HttpRequest, error: RequestError) -> HttpResponse:
    return problem(error.status, error.code, error.text, error.field)


def _unknown(_request: HttpRequest, _error: AuthenticationError) -> HttpResponse:
    text = _("This till's key is missing or wrong, or was taken back. Ask the owner for a new one.")
    return problem(401, "key_wrong", text, headers={"WWW-Authenticate": "Bearer"})


def _throttled(_request: HttpRequest, error: Throttled) -> HttpResponse:
    text = _("Too many requests in a short time. Wait and try again.")
    wait = str(max(1, round(error.wait or 1)))
    return problem(429, "too_many_requests", text, headers={"Retry-After": wait})


def _missing(_request: HttpRequest, _error: Http404) -> HttpResponse:
    return not_found()


def _away(_request: HttpRequest, error: OperationalError | InterfaceError) -> HttpResponse:
    _log.error("the database cannot be used: %s", error)
    text = _("The database cannot be reached. Keep the sale and send it again with the same key.")
    return problem(503, "database_away", text, headers={"Retry-After": "5"})


def _failed(_request: HttpRequest, error: Exception) -> HttpResponse:
    _log.error("a request of a till failed", exc_info=error)
    text = _("Something went wrong here. Keep the sale and send it again with the same key.")
    return problem(500, "failed", text)
