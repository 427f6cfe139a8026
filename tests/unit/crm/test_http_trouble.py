"""The adapter by mapping: who we are, and what is made of what goes wrong."""

from __future__ import annotations

import asyncio
import threading
from pathlib import Path

import pytest

from besnik.crm import web
from besnik.crm.foreign import CrmAnswerError, CrmAwayError, CrmRefusedError
from besnik.crm.http.adapter import HttpCrm
from support.json_server import Asked, JsonServer, Said
from support.mapped import ask, opened, rewrite_auth, written


@pytest.fixture
def mapping(tmp_path: Path) -> Path:
    return written(tmp_path)


class TestTrouble:
    @pytest.mark.parametrize(
        ("said", "kind", "told"),
        [
            ((401, {}), CrmRefusedError, "key"),
            ((403, {"error": {"code": "DENIED"}}), CrmRefusedError, "key"),
            ((403, {"error": {"code": "LIMIT"}}, {"Retry-After": "9"}), CrmAwayError, "LIMIT"),
            ((429, None), CrmAwayError, "later"),
            ((302, None, {"Location": "http://127.0.0.1:9/x"}), CrmAnswerError, "elsewhere"),
            ((400, {"error": {"code": "BAD_FIELD"}}), CrmAnswerError, "BAD_FIELD"),
            ((400, {"error": {"code": "Anna has no card"}}), CrmAnswerError, "status 400"),
            ((200, {"rows": 7}), CrmAnswerError, "rows"),
            ((200, {"rows": [{"first": "Anna"}]}), CrmAnswerError, "no id"),
            ((200, None), CrmAnswerError, "nothing at"),
        ],
    )
    async def test_each_kind_of_trouble_is_told_as_such(
        self, mapping: Path, said: Said, kind: type[Exception], told: str
    ) -> None:
        with pytest.raises(kind, match=told) as caught:
            await ask(mapping, lambda _: said, lambda crm: crm.lookup_many(["04AA"], []))
        assert "s3cret" not in str(caught.value)
        assert "Anna" not in str(caught.value)
        if isinstance(caught.value, CrmAwayError) and len(said) == 3:
            assert caught.value.retry_after_s == 9

    async def test_a_key_is_not_sent_after_a_redirect(self, mapping: Path) -> None:
        with JsonServer(lambda _: (200, {"rows": []})) as other:
            said = (307, None, {"Location": f"{other.url}/find"})
            with pytest.raises(CrmAnswerError):
                await ask(mapping, lambda _: said, lambda crm: crm.lookup_many(["04AA"], []))
            assert other.asked == []

    async def test_health_says_what_is_wrong(self, mapping: Path) -> None:
        health, _ = await ask(mapping, lambda _: (200, {"rows": []}), lambda crm: crm.health())
        assert health.ok
        health, _ = await ask(mapping, lambda _: (200, {}), lambda crm: crm.health())
        assert not health.ok
        assert health.why

    async def test_a_line_that_is_slow_ends_with_its_time(
        self, mapping: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(web, "TOTAL_S", 0.2)
        is_over = threading.Event()

        def answer(_: Asked) -> Said:
            is_over.wait(10)
            return 200, {"rows": []}

        with JsonServer(answer) as server:
            crm = opened(mapping, server)
            with pytest.raises(CrmAwayError, match=r"within 0\.2 s"):
                await crm.lookup_many(["04AA"], [])
            is_over.set()
            await crm.aclose()


class TestOAuth:
    @pytest.fixture
    def oauth(self, mapping: Path) -> Path:
        rewrite_auth(
            mapping,
            """
            kind = "oauth2"
            value = "Bearer {token}"
            token_url = "{url}/token"
            form = { grant_type = "client_credentials", client_secret = "{key}" }""",
        )
        return mapping

    async def test_one_token_serves_many_requests_and_a_stale_one_is_renewed(
        self, oauth: Path
    ) -> None:
        tokens: list[str] = []

        def answer(asked: Asked) -> Said:
            if asked.path == "/token":
                tokens.append(f"t{len(tokens)}")
                return 200, {"access_token": tokens[-1], "expires_in": 3600}
            is_fresh = asked.headers["authorization"] == f"Bearer {tokens[-1]}"
            is_late = len(tokens) == 1 and asked.body["cards"] == ["late"]
            return (200, {"rows": []}) if is_fresh and not is_late else (401, {})

        async def calls(crm: HttpCrm) -> None:
            await asyncio.gather(*(crm.lookup_many([f"0{n}"], []) for n in range(4)))
            await crm.lookup_many(["late"], [])

        _, asked = await ask(oauth, answer, calls)
        assert {each.path for each in asked} == {"/token", "/find"}
        forms = [each.body for each in asked if each.path == "/token"]
        assert forms == [{"grant_type": "client_credentials", "client_secret": "s3cret"}] * 2

    @pytest.mark.parametrize(
        ("said", "kind"),
        [
            ((400, {"error": "invalid_client"}), CrmRefusedError),
            ((200, {"error": "invalid_code"}), CrmRefusedError),
            ((200, {"error": "Access Denied"}), CrmAwayError),
            ((200, {}), CrmAnswerError),
            ((404, {}), CrmAnswerError),
            ((503, {"error": "temporarily_unavailable"}), CrmAwayError),
        ],
    )
    async def test_no_token_is_told_by_its_reason(
        self, oauth: Path, said: Said, kind: type[Exception]
    ) -> None:
        with pytest.raises(kind) as caught:
            await ask(oauth, lambda _: said, lambda crm: crm.lookup_many(["04AA"], []))
        assert "s3cret" not in str(caught.value)

    async def test_name_and_password_go_as_basic(self, mapping: Path) -> None:
        basic = ('kind = "basic"', 'user = "besnik"', 'password = "{key}"')
        rewrite_auth(mapping, "\n".join(basic))
        _, asked = await ask(
            mapping, lambda _: (200, {"rows": []}), lambda crm: crm.lookup_many(["04AA"], [])
        )
        assert asked[0].headers["authorization"] == "Basic YmVzbmlrOnMzY3JldA=="
