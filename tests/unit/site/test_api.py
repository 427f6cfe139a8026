"""The tills' API itself: keys, languages, limits, its document, and what it never says."""

from __future__ import annotations

import datetime as dt
import itertools
import json
import time
from collections.abc import Iterator
from typing import Any

import pytest
from django.core.cache import cache
from django.test import Client

from besnik import cli, demo
from besnik.site.api.keys import RATE
from besnik.site.api.verbs import VERBS
from besnik.store.models import Person, Till, TillKey
from besnik.store.till import keys
from besnik.store.till.said import UNKNOWN

ANSWER = {"content_type": "application/json"}


@pytest.fixture(autouse=True)
def _nobody_asked_before(orm: str) -> Iterator[None]:
    cache.clear()
    yield
    cache.clear()


@pytest.fixture
def key(orm: str) -> str:
    """A key of the demo's till."""
    return keys.make(Till.objects.get(slug=demo.TILL), "test")


def ask(verb: str, body: object, key: str = "", **headers: str) -> Any:
    client = Client(HTTP_HOST="localhost", enforce_csrf_checks=True)
    sent = {"Idempotency-Key": f"test-{verb}"} | headers
    if key:
        sent["Authorization"] = f"Bearer {key}"
    text = body if isinstance(body, (bytes, str)) else json.dumps(body)
    return client.post(f"/api/v1/{verb}", text, headers=sent, **ANSWER)


def test_no_verb_answers_without_a_key(orm: str) -> None:
    wrong = ({}, {"Authorization": "Bearer besnik_wrong"}, {"Authorization": "Basic eDp5"})
    for verb, headers in itertools.product(VERBS, wrong):
        answer = ask(verb.name, {}, **headers)
        assert (answer.status_code, answer.json()["code"]) == (401, "key_wrong")
        assert answer.headers["WWW-Authenticate"] == "Bearer"
        assert answer.headers["Content-Type"] == "application/problem+json"


def test_somebody_logged_in_has_no_key(log_in: Any) -> None:
    answer = log_in("owner").post("/api/v1/search", '{"text":"ana"}', **ANSWER)
    assert answer.status_code == 401


def test_a_key_is_kept_as_a_digest_and_opens_nothing_once_it_is_taken_back(key: str) -> None:
    row = TillKey.objects.get()
    assert key not in row.digest
    assert ask("search", {"text": "Ana"}, key).status_code == 200
    keys.revoke(row, dt.datetime.now(dt.UTC))
    assert ask("search", {"text": "Ana"}, key).status_code == 401


def test_the_command_makes_lists_and_takes_back(
    orm: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.main(["till", "key", f"{demo.SHOP}/{demo.TILL}", "--name", "front desk"]) == 0
    made = capsys.readouterr().out.splitlines()[-1]
    assert ask("search", {"text": "Ana"}, made).status_code == 200
    assert cli.main(["till", "keys"]) == 0
    listed = capsys.readouterr().out
    assert "front desk" in listed
    assert made not in listed
    number = str(TillKey.objects.get().pk)
    assert cli.main(["till", "revoke", number]) == 0
    assert ask("search", {"text": "Ana"}, made).status_code == 401
    assert cli.main(["till", "key", "corner/till-99"]) == 2
    assert "corner/till-1" in capsys.readouterr().err
    assert cli.main(["till", "revoke", "999"]) == 2


def test_a_problem_is_said_in_the_language_that_was_asked_for(key: str) -> None:
    said_en = UNKNOWN["member_unknown"]

    def said(language: str) -> str:
        body = {"who": {"phone": "+355690000000"}}
        found = ask("inquire", body, key, **{"Accept-Language": language}).json()
        assert found["code"] == "member_unknown"
        return str(found["detail"])

    assert said("en") == said("de") == said_en
    assert len({said(each) for each in ("en", "sq", "ru-RU,ru;q=0.9", "el", "fa")}) == 5


def test_what_is_no_request_is_told_so(key: str) -> None:
    for sent in (b"", b"{", b"\xff", b"[1]", b'"text"', b"[" * 100_000):
        answer = ask("accrue", sent, key)
        assert answer.status_code in (400, 422)
        assert answer.json()["code"] in ("no_json", "fields")


def test_what_writes_needs_an_idempotency_key(key: str) -> None:
    for verb, value in itertools.product(VERBS, ("", '""', "x" * 81)):
        body = {"name": "Nora"} if verb.name == "signup" else {}
        answer = ask(verb.name, body, key, **{"Idempotency-Key": value})
        if verb.name == "signup":
            assert (answer.status_code, answer.json()["code"]) == (400, "key_missing")
        elif verb.reads:
            assert answer.json().get("code") != "key_missing"


def test_another_address_or_method_is_a_problem_too(key: str) -> None:
    for address in ("/api/v1/nothing", "/api/v1/nothing/at/all"):
        answer = Client(HTTP_HOST="localhost").get(address)
        assert (answer.status_code, answer.json()["code"]) == (404, "no_such_address")
    assert Client(HTTP_HOST="localhost").get("/api/v1/search").status_code == 405


def test_a_till_that_asks_too_often_is_told_to_wait(key: str) -> None:
    most = int(RATE.partition("/")[0])
    cache.set(f"till-key-{TillKey.objects.get().pk}", [time.time()] * (most - 1), 60)
    assert ask("search", {"text": "Ana"}, key).status_code == 200
    answer = ask("search", {"text": "Ana"}, key)
    assert (answer.status_code, answer.json()["code"]) == (429, "too_many_requests")
    assert int(answer.headers["Retry-After"]) >= 1
    other = keys.make(Till.objects.get(slug=demo.TILL), "other")
    assert ask("search", {"text": "Ana"}, other).status_code == 200


def test_no_answer_holds_a_whole_phone_number(key: str) -> None:
    phone = "+355691234567"
    texts = []

    def said(verb: str, **body: Any) -> dict[str, Any]:
        answer = ask(verb, body, key, **{"Idempotency-Key": f"{verb}-{len(texts)}"})
        texts.append(answer.content.decode())
        found: dict[str, Any] = answer.json()
        return found

    joined = said("signup", name="Nora Duka", phone=phone)
    ref = joined["member"]
    assert Person.objects.get(member__ref=ref).phone == phone
    assert said("search", text=phone)["matches"][0]["phone"] == "•••4567"
    said("search", text="Duka")
    said("inquire", who={"phone": phone})
    said("accrue", receipt="1", amount_minor=100, who={"phone": phone})
    said("signup", name="Nora again", phone=phone)
    assert not [text for text in texts if "1234567" in text or "69123" in text]


def test_the_document_describes_every_verb(orm: str) -> None:
    answer = Client(HTTP_HOST="localhost").get("/api/v1/openapi.json")
    document = answer.json()
    assert document["openapi"].startswith("3.1")
    assert set(document["paths"]) == {f"/api/v1/{verb.name}" for verb in VERBS}
    known = document["components"]["schemas"]
    for verb in VERBS:
        operation = document["paths"][f"/api/v1/{verb.name}"]["post"]
        assert operation["security"]
        assert operation["summary"] == verb.summary
        body = operation["requestBody"]["content"]["application/json"]["schema"]["$ref"]
        assert body == f"#/components/schemas/{verb.ask.__name__}"
        named = [each["name"] for each in operation.get("parameters", [])]
        assert named == ([] if verb.reads else ["Idempotency-Key"])
        assert {"200", "401", "409", "422"} <= set(operation["responses"])
    references = [part.split('"')[0] for part in answer.content.decode().split("schemas/")[1:]]
    assert set(references) <= set(known)


def test_nothing_is_fetched_from_elsewhere(orm: str) -> None:
    for address in ("/api/v1/docs", "/api/v1/"):
        answer = Client(HTTP_HOST="localhost").get(address)
        assert answer.status_code == 404
        assert b"http" not in answer.content
