"""The line to a CRM over HTTP, at a real server on this machine."""

from __future__ import annotations

import datetime as dt

import pytest

from besnik.crm import web
from besnik.crm.foreign import CrmAnswerError, CrmAwayError, CrmRefusedError, CrmSettingsError
from besnik.crm.web import Web, retry_after_s
from support.crm_contract import says, silent

NOW = dt.datetime(2026, 11, 22, 12, tzinfo=dt.UTC)


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("17", 17.0),
        (" 0 ", 0.0),
        ("Sun, 22 Nov 2026 12:02:00 GMT", 120.0),
        ("Sun, 22 Nov 2026 11:00:00 GMT", 0.0),
        ("", None),
        ("soon", None),
        ("-5", None),
    ],
)
def test_retry_after_is_a_number_or_a_date(text: str, seconds: float | None) -> None:
    assert retry_after_s(text, NOW) == seconds


@pytest.mark.parametrize(
    "address",
    ["", "crm.example.com", "ftp://crm.example.com", "https://", "https://a:b@crm", "x:y:z"],
)
def test_an_address_that_is_none_is_named(address: str) -> None:
    with pytest.raises(CrmSettingsError, match="address"):
        Web(address)


@pytest.mark.parametrize("status", [200, 201, 400, 404, 409])
async def test_other_answers_are_the_callers(status: int) -> None:
    with says(status, b'{"a": 1}') as url:
        line = Web(url)
        answer = await line.ask("POST", "/x", json={"b": 2})
        assert (answer.status, answer.json()) == (status, {"a": 1})
        await line.aclose()


@pytest.mark.parametrize("status", [401, 403])
async def test_who_is_not_let_in_is_told_so(status: int) -> None:
    with says(status, b"") as url:
        line = Web(url)
        with pytest.raises(CrmRefusedError, match=str(status)):
            await line.ask("GET", "/x", headers={"Authorization": "Bearer secret-1"})
        await line.aclose()


@pytest.mark.parametrize("status", [408, 429, 500, 502, 503])
async def test_a_server_in_trouble_is_away(status: int) -> None:
    with says(status, b"", {"Retry-After": "3"}) as url:
        line = Web(url)
        with pytest.raises(CrmAwayError) as caught:
            await line.ask("GET", "/x")
        assert caught.value.retry_after_s == 3
        await line.aclose()


async def test_an_answer_without_end_is_cut_off(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(web, "ANSWER_MAX_BYTES", 1024**2)
    with says(200, b" " * (1024**2 + 1)) as url:
        line = Web(url)
        with pytest.raises(CrmAnswerError, match="over 1 MB"):
            await line.ask("GET", "/x")
        await line.aclose()


async def test_redirects_in_a_circle_are_nonsense() -> None:
    with says(302, b"", {"Location": "/x"}) as url:
        line = Web(url)
        with pytest.raises(CrmAnswerError):
            await line.ask("GET", "/x")
        await line.aclose()


async def test_a_silent_server_is_away_when_its_time_is_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(web, "TOTAL_S", 0.2)
    with silent() as url:
        line = Web(url)
        with pytest.raises(CrmAwayError, match=r"within 0\.2 s"):
            await line.ask("GET", "/x")
        await line.aclose()


async def test_nobody_at_the_address_is_away() -> None:
    with silent() as url:
        pass
    line = Web(url)
    with pytest.raises(CrmAwayError, match="is it running"):
        await line.ask("GET", "/x")
    await line.aclose()


@pytest.mark.parametrize("key", ["two\nlines", "clé", "ключ"])
async def test_a_key_that_http_cannot_carry_is_told_and_not_shown(key: str) -> None:
    with says(200, b"{}") as url:
        line = Web(url)
        with pytest.raises(CrmRefusedError, match="X-Key") as caught:
            await line.ask("GET", "/x", headers={"X-Key": f"Bearer {key}"})
        assert key not in repr(caught.value)
        assert caught.value.__cause__ is None
        await line.aclose()
