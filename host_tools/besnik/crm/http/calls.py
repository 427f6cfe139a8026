"""Carries out the requests of a mapping: fills them in, says who we are, tells answers apart."""

from __future__ import annotations

from collections.abc import Mapping as Table
from collections.abc import Sequence
from typing import Any
from urllib.parse import quote

import msgspec

from besnik.crm.foreign import CrmAnswerError, CrmAwayError, CrmRefusedError
from besnik.crm.http import paths, template
from besnik.crm.http.auth import Credentials
from besnik.crm.http.mapping import Ask, Mapping, Rule
from besnik.crm.web import Answer, Web, retry_after_s

_FINE = range(200, 300)
_ELSEWHERE = range(300, 400)
# An error's code is shown to the owner; a sentence might hold somebody's name.
_CODE_MAX_CHARACTERS = 60


class Reply(msgspec.Struct, frozen=True):
    """An answer that is ours to understand: the status and the body, None if it was empty."""

    status: int
    body: Any

    @property
    def is_fine(self) -> bool:
        """Whether it was done."""
        return self.status in _FINE

    def matches(self, rules: Sequence[Rule]) -> bool:
        """Whether it looks as one of the rules says."""
        return any(self._matches(rule) for rule in rules)

    def _matches(self, rule: Rule) -> bool:
        if rule.status is not None and rule.status != self.status:
            return False
        return not rule.at or holds(self.body, rule)

    def rows(self, path: str) -> list[Any]:
        """Return the rows at a path: a list's entries, a table as the only row; [] for null."""
        found = paths.get(self.body, path)
        if found is None and path:
            return []
        if isinstance(found, list):
            return found
        if isinstance(found, Table):
            return [found]
        raise CrmAnswerError(
            f"its answer has nothing at {path!r}: does the mapping fit this version of the CRM?"
        )


def holds(row: Any, rule: Rule) -> bool:
    """Whether a row has at the rule's path what the rule says (anything, if it does not)."""
    found = paths.get(row, rule.at)
    if rule.is_ is None:
        return found is not paths.ABSENT
    return found is not paths.ABSENT and paths.text(found) == rule.is_


class Calls:
    """Requests to one CRM, filled from a mapping and the owner's settings."""

    def __init__(
        self,
        mapping: Mapping,
        settings: Table[str, str],
        secrets: Table[str, str],
        web: Web,
    ) -> None:
        self._mapping = mapping
        self._settings = dict(settings)
        self._web = web
        self._credentials = Credentials(mapping.auth, {**settings, **secrets}, web)

    @property
    def search_lag_s(self) -> float:
        """How long what was written cannot be found."""
        return self._mapping.limits.search_lag_s

    async def ask(self, ask: Ask, values: template.Values) -> Reply:
        """Send a request and return its reply, whatever it says; raises for what is no reply."""
        filled = {**self._settings, **values}
        path = template.fill_text(ask.path, filled, _segment)
        if path is None:
            raise CrmAnswerError(f"a value is missing for {ask.path}: does the mapping fit?")
        return await self._send(ask, path, filled)

    async def follow(self, ask: Ask, path: str) -> Reply:
        """Ask for a page at an address that the CRM gave; only its own host is asked."""
        own = template.fill_text(self._mapping.url, self._settings) or ""
        path = path.removeprefix(own.rstrip("/"))
        if not path.startswith("/") or path.startswith("//"):
            raise CrmAnswerError("the next page would be at another host")
        return await self._send(msgspec.structs.replace(ask, query={}), path, self._settings)

    async def get(self, ask: Ask, values: template.Values) -> Reply | None:
        """Ask for something; None if the mapping takes the answer for "nothing found".

        What is neither that nor fine makes no sense: CrmAnswerError.
        """
        return self.understood(ask, await self.ask(ask, values))

    def understood(self, ask: Ask, reply: Reply) -> Reply | None:
        """Return the reply to a question, None for "nothing found"; CrmAnswerError otherwise."""
        if reply.matches(ask.none):
            return None
        if not reply.is_fine:
            raise CrmAnswerError(
                f"it does not understand the question {ask.path} (status {reply.status}"
                f"{self.code(reply)}): are the names in the settings those of its fields?"
            )
        return reply

    def code(self, reply: Reply) -> str:
        """Return the reason in an answer as ", CODE"; "" if it is none that is safe to show."""
        code = paths.text(paths.get(reply.body, self._mapping.errors.code))
        is_safe = code.replace("_", "").replace(".", "").isalnum()
        return f", {code}" if is_safe and len(code) <= _CODE_MAX_CHARACTERS else ""

    async def aclose(self) -> None:
        """Close the connections."""
        await self._web.aclose()

    async def _send(self, ask: Ask, path: str, filled: template.Values) -> Reply:
        params = _params(template.fill(ask.query, filled) or {})
        body = template.fill(ask.body, filled)
        headers = {**self._mapping.headers, **ask.headers}
        asked = template.fill(headers, filled) or {}
        for is_first in (True, False):
            who = await self._credentials.headers()
            answer = await self._web.send(
                ask.method, path, headers={**asked, **who}, params=params, json=body
            )
            if answer.status != 401 or not (is_first and self._credentials.renew()):
                break
        return self._judged(answer)

    def _judged(self, answer: Answer) -> Reply:
        """Tell apart what the mapping knows better than the status does."""
        errors = self._mapping.errors
        known = Reply(answer.status, _decoded(answer)) if answer.status >= 400 else None
        if known and known.matches(errors.away):
            raise CrmAwayError(
                f"it asks to come back later (status {answer.status}{self.code(known)})",
                retry_after_s(answer.headers.get("retry-after", "")),
            )
        if known and known.matches(errors.refused):
            raise CrmRefusedError(
                f"it does not let us in (status {answer.status}{self.code(known)}): give it a key "
                "that is valid and may read and write customers"
            )
        self._web.judged(answer)
        if answer.status in _ELSEWHERE:
            raise CrmAnswerError(
                f"it sends us elsewhere (status {answer.status}): give the address it really has"
            )
        if known:
            return known
        return Reply(answer.status, answer.json() if answer.body.strip() else None)


def _decoded(answer: Answer) -> Any:
    """Return the body of a failure, None if it is not JSON: failures often are not."""
    try:
        return answer.json()
    except CrmAnswerError:
        return None


def _segment(value: str) -> str:
    """Write a value into a path, so that it can neither leave its place nor mean a folder."""
    quoted = quote(value, safe="")
    return quoted.replace(".", "%2E") if not quoted.strip(".") else quoted


def _params(query: Table[str, Any]) -> list[tuple[str, str]]:
    """Return a query's pairs: a list gives one pair an entry, a table goes as JSON."""
    pairs: list[tuple[str, str]] = []
    for name, value in query.items():
        if isinstance(value, list | tuple):
            pairs += [(name, paths.text(entry)) for entry in value]
        elif isinstance(value, Table):
            pairs.append((name, msgspec.json.encode(value).decode()))
        else:
            pairs.append((name, paths.text(value)))
    return pairs
