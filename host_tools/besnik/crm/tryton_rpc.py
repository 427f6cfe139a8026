"""Tryton's JSON-RPC: one session that is renewed by itself, and what its errors mean to us.

``POST {address}/{database}/rpc/``; seen with Tryton 8.2. An error is ``["UserError", [text, …]]``,
or ``[text, traceback]`` where Tryton itself broke.
"""

from __future__ import annotations

import asyncio
import base64
import contextlib
import itertools
from typing import Final

from besnik.crm.foreign import CrmAnswerError, CrmAwayError, CrmRefusedError
from besnik.crm.web import Json, Web

# What a session let in before it was ended is finished by then: a write takes Tryton 50 ms.
SETTLE_S = 1.0

_REFUSAL: Final = (
    "Tryton does not let us in: check the user name and the password, and that the user is active"
)


class TrytonRefusesError(Exception):
    """Tryton's rules forbid it, and nothing of it was written; the text is Tryton's own."""


class Rpc:
    """Calls of one user. A call may be repeated when its session has run out: it was not made."""

    def __init__(self, address: str, database: str, user: str, password: str) -> None:
        self._web = Web(address)
        self._path = f"/{database}/rpc/"
        self._user = user
        self._password = password
        self._session = ""
        self._login = asyncio.Lock()
        self._numbers = itertools.count(1)
        # Before this process somebody else may have sent what is still on its way.
        self._is_unsure = True

    async def call(self, method: str, *params: Json) -> Json:
        """Return the result of ``model.….…`` with these parameters; TrytonRefusesError."""
        session = await self._signed_in()
        try:
            return await self._send(method, [*params, {}], session)
        except CrmRefusedError:
            self._forget(session)
        return await self._send(method, [*params, {}], await self._signed_in())

    async def write(self, method: str, *params: Json) -> Json:
        """Do as ``call`` does; when no answer comes, ``fence`` knows that it may be on its way."""
        was_unsure, self._is_unsure = self._is_unsure, True
        try:
            result = await self.call(method, *params)
        except (TrytonRefusesError, CrmRefusedError):
            self._is_unsure = was_unsure
            raise
        self._is_unsure = was_unsure
        return result

    async def fence(self) -> None:
        """Return when nothing that was sent before can be carried out any more.

        A request that waits in a stalled server, or on a slow line, is carried out long after we
        have given it up. Its session is ended first: Tryton then refuses it. What the session had
        already let in gets the time to end.
        """
        if not self._is_unsure:
            return
        if self._session:
            with contextlib.suppress(CrmRefusedError):  # it has run out already
                await self._send("common.db.logout", [], self._session)
            self._session = ""
        await self._signed_in()
        await asyncio.sleep(SETTLE_S)
        self._is_unsure = False

    async def aclose(self) -> None:
        """End the session, if Tryton is there, and the connections."""
        if self._session:
            with contextlib.suppress(CrmAwayError, CrmRefusedError, CrmAnswerError):
                await self._send("common.db.logout", [], self._session)
        await self._web.aclose()

    async def _signed_in(self) -> str:
        async with self._login:
            if not self._session:
                self._session = await self._sign_in()
            return self._session

    async def _sign_in(self) -> str:
        try:
            result = await self._send(
                "common.db.login", [self._user, {"password": self._password}, "en"], ""
            )
        except CrmRefusedError as error:
            raise CrmRefusedError(_REFUSAL) from error
        match result:
            case [int(user_id), str(token), *_]:
                name = f"{self._user}:{user_id}:{token}"
                return base64.b64encode(name.encode()).decode()
        raise CrmAnswerError(
            "Tryton's answer to the login makes no sense: is the address that of a Tryton server?"
        )

    def _forget(self, session: str) -> None:
        if self._session == session:
            self._session = ""

    async def _send(self, method: str, params: list[Json], session: str) -> Json:
        answer = await self._web.ask(
            "POST",
            self._path,
            headers={"Authorization": f"Session {session}"} if session else {},
            json={"id": next(self._numbers), "method": method, "params": params},
        )
        if answer.status in (404, 405):
            raise CrmAnswerError(
                "there is no such database at this address: check both, and that it is Tryton"
            )
        match answer.json():
            case {"error": [str(kind), [*words]]}:
                raise _told(kind, words)
            case {"error": [str(text), *_]}:
                raise CrmAnswerError(f"Tryton failed at {method}: {text}"[:300])
            case {"result": result}:
                return result
        raise CrmAnswerError(
            f"its answer (status {answer.status}) is none of Tryton's: is the address right?"
        )


def _told(kind: str, words: list[Json]) -> Exception:
    if kind == "ConcurrencyException":
        return CrmAwayError("somebody changes the same record in Tryton just now")
    if kind == "LoginException":
        return CrmRefusedError(_REFUSAL)
    # UserError: text, details; UserWarning: name, text, details.
    text = words[1] if kind == "UserWarning" and len(words) > 1 else next(iter(words), "")
    return TrytonRefusesError(f"Tryton: {text}"[:300])
