"""How we say who we are: a key in a header, name and password, or an OAuth 2 token."""

from __future__ import annotations

import asyncio
import base64
import time
from collections.abc import Callable, Mapping
from typing import Any, Final, NoReturn

from besnik.crm.foreign import CrmAnswerError, CrmAwayError, CrmRefusedError
from besnik.crm.http import paths, template
from besnik.crm.http.mapping import Auth
from besnik.crm.web import Answer, Web

# A token is renewed so long before it ends: clocks differ, and requests take their time.
_BEFORE_END_S: Final = 60.0


class Credentials:
    """The headers for a request. An OAuth token is fetched when it is needed, by one at a time."""

    def __init__(
        self,
        auth: Auth,
        values: Mapping[str, str],
        web: Web,
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        self._auth = auth
        self._values = values
        self._web = web
        self._now = now
        self._token = ""
        self._until = 0.0
        self._one_at_a_time = asyncio.Lock()

    async def headers(self) -> dict[str, str]:
        """Return the headers that say who we are."""
        auth = self._auth
        if auth.kind == "basic":
            pair = f"{self._fill(auth.user)}:{self._fill(auth.password)}"
            return {auth.header: "Basic " + base64.b64encode(pair.encode()).decode()}
        if auth.kind == "header":
            return {auth.header: self._fill(auth.value)}
        async with self._one_at_a_time:
            if not self._token or self._now() >= self._until:
                await self._fetch()
            return {auth.header: self._fill(auth.value, self._token)}

    def renew(self) -> bool:
        """Forget the token, which was refused; False if there is none to forget."""
        had_one, self._token = bool(self._token), ""
        return had_one

    def _fill(self, text: str, token: str = "") -> str:
        return template.fill_text(text, {**self._values, "token": token}) or ""

    async def _fetch(self) -> None:
        auth = self._auth
        form = {name: self._fill(value) for name, value in auth.form.items()}
        answer = await self._web.send("POST", self._fill(auth.token_url), form=form)
        body = _json(answer)
        token = paths.text(paths.get(body, auth.token_at))
        if answer.status != 200 or not token:
            self._complain(answer, paths.text(paths.get(body, "error")))
        lives_s = paths.whole(paths.get(body, auth.lives_at)) or auth.lives_s
        self._token = token
        self._until = self._now() + max(lives_s - _BEFORE_END_S, lives_s / 2)

    def _complain(self, answer: Answer, error: str) -> NoReturn:
        """Raise for an answer without a token; Zoho's have status 200 for some refusals."""
        if error.casefold().replace(" ", "_") == "access_denied":
            raise CrmAwayError("it gives us no token for now: too many were asked for")
        if answer.status in (400, 401, 403) or (error and answer.status < 300):
            raise CrmRefusedError(
                f"it gives us no token (status {answer.status}): the client id, the secret or the "
                "refresh token is not valid (any more)"
            )
        self._web.judged(answer)
        raise CrmAnswerError(
            f"it does not understand the question for a token (status {answer.status}): is the "
            "address right?"
        )


def _json(answer: Answer) -> Any:
    try:
        return answer.json()
    except CrmAnswerError:
        return None
