"""The line to a CRM over HTTP: bounded in time and size, its failures told in our four kinds."""

from __future__ import annotations

import asyncio
import datetime as dt
import email.utils
from collections.abc import Mapping, Sequence
from typing import Any, Final

import httpx2
import msgspec

from besnik.crm import toll
from besnik.crm.foreign import (
    CrmAnswerError,
    CrmAwayError,
    CrmRefusedError,
    CrmSettingsError,
)

CONNECT_S: Final = 1.0
TOTAL_S = 10.0
CONNECTIONS: Final = 8
# A page of 1,000 customers is well below 1 MB.
ANSWER_MAX_BYTES: Final = 16 * 1024 * 1024

_REFUSED: Final = (401, 403)
_LATER: Final = (408, 429)
_SERVER_FAILED: Final = 500

# Whatever JSON holds: told apart by whoever asked.
Json = Any


class Answer(msgspec.Struct, frozen=True):
    """What came back; of ``Web.ask`` without the statuses that it raises for."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    def json(self) -> Json:
        """Return the body decoded; CrmAnswerError if it is not JSON."""
        try:
            return msgspec.json.decode(self.body)
        except msgspec.DecodeError as error:
            raise CrmAnswerError(
                f"its answer (status {self.status}) is not JSON: is the address that of the API?"
            ) from error


class Web:
    """HTTP to one CRM. TOTAL_S bounds a whole request, the answer's body included.

    Redirects are followed, as the vendors' own clients do, unless ``follow_redirects`` is False:
    only the header Authorization is kept from another host by itself, not one like X-Api-Key.
    """

    def __init__(
        self,
        base_url: str,
        *,
        total_s: float = TOTAL_S,
        connections: int = CONNECTIONS,
        follow_redirects: bool = True,
    ) -> None:
        url = _checked(base_url)
        self._host = url.netloc.decode()
        self._total_s = total_s = TOTAL_S
        self._client = httpx2.AsyncClient(
            base_url=url,
            follow_redirects=follow_redirects,
            timeout=httpx2.Timeout(total_s, connect=min(CONNECT_S, total_s)),
            limits=httpx2.Limits(
                max_connections=connections, max_keepalive_connections=connections
            ),
        )

    async def ask(
        self,
        method: str,
        path: str,
        *,
        headers: Mapping[str, str] | None = None,
        params: Sequence[tuple[str, str]] = (),
        json: Json = None,
        form: Mapping[str, str] | None = None,
    ) -> Answer:
        """Send one request and return its answer, judged.

        401 and 403 raise CrmRefusedError; 408, 429, 5xx, a line that breaks and time that is up
        raise CrmAwayError, with what Retry-After says. Every other status is the caller's.
        """
        answer = await self.send(method, path, headers=headers, params=params, json=json, form=form)
        return self.judged(answer)

    async def send(
        self,
        method: str,
        path: str,
        *,
        headers: Mapping[str, str] | None = None,
        params: Sequence[tuple[str, str]] = (),
        json: Json = None,
        form: Mapping[str, str] | None = None,
    ) -> Answer:
        """Send one request and return its answer, whatever its status; as ``ask`` otherwise."""
        content = None if json is None else msgspec.json.encode(json)
        sent = {"Accept": "application/json", **(headers or {})}
        _check_headers(sent)
        await toll.pay()
        if content is not None:
            sent.setdefault("Content-Type", "application/json")
        request = self._client.build_request(
            method,
            path,
            headers=sent,
            params=tuple(params) or None,
            content=content,
            data=dict(form) if form is not None else None,
        )
        try:
            async with asyncio.timeout(self._total_s):
                answer = await self._read(request)
        except (TimeoutError, httpx2.TimeoutException) as error:
            raise CrmAwayError(f"{self._host} did not answer within {self._total_s:g} s") from error
        except (httpx2.TooManyRedirects, httpx2.DecodingError) as error:
            raise CrmAnswerError(f"{self._host} answered what makes no sense: {error}") from error
        except httpx2.TransportError as error:
            raise CrmAwayError(
                f"{self._host} cannot be reached ({_reason(error)}): is it running, "
                "and is its address right?"
            ) from error
        return answer

    async def aclose(self) -> None:
        """Close the connections."""
        await self._client.aclose()

    async def _read(self, request: httpx2.Request) -> Answer:
        response = await self._client.send(request, stream=True)
        try:
            body = bytearray()
            async for part in response.aiter_bytes():
                body += part
                if len(body) > ANSWER_MAX_BYTES:
                    raise CrmAnswerError(
                        f"{self._host} answered over {ANSWER_MAX_BYTES // 1024**2} MB"
                    )
            return Answer(response.status_code, response.headers, bytes(body))
        finally:
            await response.aclose()

    def judged(self, answer: Answer) -> Answer:
        """Return an answer if its status is the caller's to understand; raises as ``ask``."""
        status = answer.status
        if status in _REFUSED:
            raise CrmRefusedError(
                f"{self._host} does not let us in ({status}): give it a key or password that is "
                "valid and may read and write customers"
            )
        if status in _LATER or status >= _SERVER_FAILED:
            raise CrmAwayError(
                f"{self._host} asks to come back later (status {status})"
                if status in _LATER
                else f"{self._host} failed (status {status}): its own log says why",
                retry_after_s(answer.headers.get("retry-after", "")),
            )
        return answer


def retry_after_s(text: str, now: dt.datetime | None = None) -> float | None:
    """Return the seconds that a Retry-After header asks for: a number, or a date (RFC 9110)."""
    text = text.strip()
    if text.isdecimal():
        return float(text)
    try:
        at = email.utils.parsedate_to_datetime(text)
    except ValueError:
        return None
    if at.tzinfo is None:
        return None
    return max(0.0, (at - (now or dt.datetime.now(dt.UTC))).total_seconds())


def _checked(base_url: str) -> httpx2.URL:
    try:
        url = httpx2.URL(base_url.strip())
    except httpx2.InvalidURL as error:
        raise CrmSettingsError(f"address: {base_url!r} is no web address") from error
    if url.scheme not in ("http", "https") or not url.host:
        raise CrmSettingsError(
            f"address: {base_url!r} must begin with https:// (or http:// inside your own network)"
        )
    if url.userinfo:
        raise CrmSettingsError(
            "address: leave user and password out; they have fields of their own"
        )
    return url


def _check_headers(headers: Mapping[str, str]) -> None:
    """Refuse what HTTP cannot carry here: its library's complaint would quote the key."""
    for name, value in headers.items():
        if not (value.isascii() and value.isprintable()):
            raise CrmRefusedError(
                f"the key cannot be sent (as {name}): it has a letter beyond a to z in it, or a "
                "line break; paste it once more, in one line"
            )


def _reason(error: Exception) -> str:
    return str(error) or type(error).__name__
