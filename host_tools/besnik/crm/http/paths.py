"""Where a value is in an answer: ``data.attributes.name``, ``errors[0].code``, ``cards.*.code``.

``*`` goes through a list (or a table's values) and gives a list. "" is the answer itself.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final

from besnik.crm.foreign import Value

_STEP: Final = re.compile(r"[^.\[\]]+|\[\d+\]")
# What CRMs call the text of a record that a field points at, e.g. {"id": 7, "name": "Anna"}.
_TEXT_OF: Final = ("name", "label", "display_value", "value", "title")


class _Absent:
    """Stands for what is not there, which is not the same as null."""


ABSENT: Final = _Absent()


def get(answer: Any, path: str) -> Any:
    """Return what is at a path, ABSENT if there is nothing."""
    return _walk(answer, _STEP.findall(path))


def _walk(value: Any, steps: list[str]) -> Any:
    for index, step in enumerate(steps):
        if step == "*":
            entries = value.values() if isinstance(value, Mapping) else value
            if not isinstance(value, (Mapping, list)):
                return ABSENT
            found = [_walk(entry, steps[index + 1 :]) for entry in entries]
            return [entry for entry in found if entry is not ABSENT]
        if step.startswith("["):
            position = int(step[1:-1])
            if not isinstance(value, list) or position >= len(value):
                return ABSENT
            value = value[position]
        elif isinstance(value, Mapping) and step in value:
            value = value[step]
        else:
            return ABSENT
    return value


def text(value: Any) -> str:
    """Return a scalar as text; "" for what is none."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value).strip() if isinstance(value, (str, int, float)) else ""


def texts(value: Any) -> list[str]:
    """Return a value as a list of texts: a list's entries, or those of text between commas."""
    if isinstance(value, list):
        return [entry for part in value for entry in texts(part)]
    return [part.strip() for part in re.split(r"[,;\n]", text(value)) if part.strip()]


def whole(value: Any) -> int | None:
    """Return a number, also one in text, as an integer; None for what is none."""
    if isinstance(value, bool) or not isinstance(value, (str, int, float)):
        return None
    try:
        return int(float(value)) if not isinstance(value, int) else value
    except (ValueError, OverflowError):
        return None


def shown(value: Any) -> Value:
    """Return a value as a field to show: lists become text, records their name."""
    if value is None or isinstance(value, (str, int, float, bool)):
        return value
    if isinstance(value, list):
        parts = [shown(entry) for entry in value]
        return ", ".join(text(part) for part in parts if text(part)) or None
    if isinstance(value, Mapping):
        return next((shown(value[name]) for name in _TEXT_OF if name in value), None)
    return None
