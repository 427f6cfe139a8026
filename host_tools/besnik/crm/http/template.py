"""Request templates: text with ``{name}`` in it, and JSON made of such text. Nothing is evaluated.

``{name}`` alone keeps the value as it is (a number, a list); inside other text it is written out.
``{name:filter}`` writes it for a language inside the text (`FILTERS`). ``{{`` and ``}}`` are
braces. A table ``{for_each = "cards", make = {...}}`` becomes a list, one entry a card, which is
``{it}``; of visits and customers each has its own values there.

A value that is not there (None) takes the whole text with it, and a table or list that loses all
its entries so goes too: a balance nobody knows is left out of the request, not sent as nothing.
"""

from __future__ import annotations

import datetime as dt
import html
import re
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from typing import Any, Final

from besnik.crm.foreign import CrmSettingsError

# Values that templates may use, by name; lists of such mappings are what for_each goes over.
Values = Mapping[str, Any]

_PART: Final = re.compile(r"\{\{|\}\}|\{([a-z_]+)(?::([a-z_]+))?\}")
_REPEAT: Final = {"for_each", "make"}
# What a list can be made of; where each is to be had is checked as that of any other name.
_LISTS: Final = ("cards", "ids", "visits", "customers", "events")


class _Gone:
    """Stands for what is left out."""


GONE: Final = _Gone()


def _quoted(value: str) -> str:
    escaped = value.replace("\\", "\\\\").replace("'", "\\'")
    return f"'{escaped}'"


def _signed(value: Any) -> str:
    return f"{int(value):+d}"


def _moment(value: Any) -> dt.datetime:
    if not isinstance(value, dt.datetime):
        raise TypeError("no moment")
    return value.astimezone(dt.UTC)


# How a value is written for a language inside the text. A list is written entry by entry with
# commas. soql and coql: a string literal in quotes, with ' and \ escaped by \ (Salesforce "Quoted
# String Escape Sequences"; Zoho's COQL page has the same). zoho: a value of a search criteria,
# where parentheses, commas and \ are escaped by \. plain_time: Odoo's 2026-11-22 08:40:38, UTC.
FILTERS: Final[Mapping[str, Callable[[Any], Any]]] = {
    "csv": str,
    "soql": lambda value: _quoted(str(value)),
    "coql": lambda value: _quoted(str(value)),
    "zoho": lambda value: re.sub(r"([\\(),])", r"\\\1", str(value)),
    "html": lambda value: html.escape(str(value)),
    "signed": _signed,
    "int": int,
    "text": str,
    "day": lambda value: _moment(value).strftime("%Y-%m-%d"),
    "iso": lambda value: _moment(value).strftime("%Y-%m-%dT%H:%M:%S+00:00"),
    "plain_time": lambda value: _moment(value).strftime("%Y-%m-%d %H:%M:%S"),
}
# A filter that gives a value, not text, where it stands alone.
_TYPED: Final = ("int",)


def fill(template: Any, values: Values) -> Any:
    """Return JSON with the values put in; None for what was left out altogether."""
    filled = _fill(template, values)
    return None if filled is GONE else filled


def fill_text(template: str, values: Values, write: Callable[[str], str] = str) -> str | None:
    """Return text with the values put in, each through ``write``; None if one is not there."""
    parts: list[str] = []
    at = 0
    for match in _PART.finditer(template):
        parts.append(template[at : match.start()])
        at = match.end()
        if match[1] is None:
            parts.append(match[0][0])
            continue
        value = _value(match[1], match[2], values)
        if value is None:
            return None
        parts.append(write(_written(value)))
    return "".join([*parts, template[at:]])


def names(template: Any) -> Iterator[str]:
    """Yield the names that a template uses; those inside a for_each too."""
    if isinstance(template, str):
        yield from (match[1] for match in _PART.finditer(template) if match[1])
    elif isinstance(template, Mapping):
        if set(template) == _REPEAT and isinstance(template["for_each"], str):
            yield template["for_each"]
        for key, value in template.items():
            yield from (*names(key), *(() if key == "for_each" else names(value)))
    elif isinstance(template, list):
        for value in template:
            yield from names(value)


def check(template: Any, allowed: Collection[str], where: str) -> None:
    """Raise CrmSettingsError if a template has a stray brace or uses what is not to be had."""
    for name in names(template):
        if name not in allowed:
            raise CrmSettingsError(
                f"mapping: {where} uses {{{name}}}, which is not there; "
                f"there is: {', '.join(sorted(allowed))}"
            )
    for name in _repeated(template):
        if name not in _LISTS:
            raise CrmSettingsError(
                f"mapping: {where}: for_each is one of {', '.join(_LISTS)}, not {name!r}"
            )
    for text in _texts(template):
        for match in _PART.finditer(text):
            if match[2] and match[2] not in FILTERS:
                raise CrmSettingsError(
                    f"mapping: {where}: there is no :{match[2]}; there is: {', '.join(FILTERS)}"
                )
        if set("{}") & set(_PART.sub("", text)):
            raise CrmSettingsError(f"mapping: {where}: a brace itself is written twice in {text!r}")


def _repeated(template: Any) -> Iterator[Any]:
    if isinstance(template, Mapping):
        if set(template) == _REPEAT:
            yield template["for_each"]
        for value in template.values():
            yield from _repeated(value)
    elif isinstance(template, list):
        for value in template:
            yield from _repeated(value)


def _texts(template: Any) -> Iterator[str]:
    if isinstance(template, str):
        yield template
    elif isinstance(template, Mapping):
        for key, value in template.items():
            yield from (key, *_texts(value))
    elif isinstance(template, list):
        for value in template:
            yield from _texts(value)


def _fill(template: Any, values: Values) -> Any:
    if isinstance(template, str):
        return _fill_string(template, values)
    if isinstance(template, Mapping):
        if set(template) == _REPEAT:
            items: Sequence[Any] = values[template["for_each"]]
            named = [item if isinstance(item, Mapping) else {"it": item} for item in items]
            return _kept_list([_fill(template["make"], {**values, **item}) for item in named])
        filled = {fill_text(key, values): _fill(value, values) for key, value in template.items()}
        kept = {key: value for key, value in filled.items() if value is not GONE and key}
        return kept if kept or not template else GONE
    if isinstance(template, list):
        return _kept_list([_fill(value, values) for value in template]) if template else []
    return template


def _kept_list(filled: list[Any]) -> Any:
    kept = [value for value in filled if value is not GONE]
    return kept or GONE


def _fill_string(template: str, values: Values) -> Any:
    alone = _PART.fullmatch(template)
    if alone and alone[1] and (not alone[2] or alone[2] in _TYPED):
        value = _value(alone[1], alone[2], values)
        if isinstance(value, dt.datetime):
            return _written(value)
        return GONE if value is None else value
    text = fill_text(template, values)
    return GONE if text is None else text


def _value(name: str, filtered_by: str | None, values: Values) -> Any:
    value = values[name]
    if value is None or value == "":
        return None
    if filtered_by is None:
        return value
    apply = FILTERS[filtered_by]
    try:
        if isinstance(value, (list, tuple)):
            return [apply(entry) for entry in value]
        return apply(value)
    except (TypeError, ValueError) as error:
        kind = type(value).__name__
        raise CrmSettingsError(
            f"mapping: {{{name}:{filtered_by}}} does not fit a {kind}"
        ) from error


def _written(value: Any) -> str:
    if isinstance(value, (list, tuple)):
        return ",".join(_written(entry) for entry in value)
    if isinstance(value, dt.datetime):
        return _moment(value).strftime("%Y-%m-%dT%H:%M:%SZ")
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value)
