"""The OpenAPI document: what each verb reads and answers, from the structs that do it."""

from __future__ import annotations

from typing import Any, Final

import msgspec
from ninja import NinjaAPI

from besnik.site.api.problems import CONTENT_TYPE, Problem
from besnik.site.api.verbs import KEY_HEADER, VERBS, Verb

_REF: Final = "#/components/schemas/{name}"
_KINDS: Final = (Problem, *(kind for verb in VERBS for kind in (verb.ask, verb.result)))
_SCHEMAS, _COMPONENTS = msgspec.json.schema_components(_KINDS, ref_template=_REF)
_BY_KIND: Final = dict(zip(_KINDS, _SCHEMAS, strict=True))
_PROBLEMS: Final = {
    400: "The request cannot be read, or its key is missing",
    401: "No till has this key",
    404: "It is not there",
    409: "It cannot be done now",
    422: "It was asked wrongly",
    429: "Too many requests",
}


class DocumentedApi(NinjaAPI):
    """An API whose document knows the structs; ninja itself knows only pydantic's models."""

    def get_openapi_schema(self, **named: Any) -> Any:
        """Return the OpenAPI document."""
        document = super().get_openapi_schema(**named)
        document["components"].setdefault("schemas", {}).update(_COMPONENTS)
        return document


def extra(verb: Verb) -> dict[str, Any]:
    """Return what a verb's operation has in the document besides its name."""
    operation: dict[str, Any] = {
        "requestBody": {"required": True, "content": _json(verb.ask)},
        "responses": {
            200: {"description": "Done", "content": _json(verb.result)},
            **{
                status: {"description": said, "content": {CONTENT_TYPE: _schema(Problem)}}
                for status, said in _PROBLEMS.items()
            },
        },
    }
    if not verb.reads:
        key = {
            "name": KEY_HEADER,
            "in": "header",
            "required": True,
            "description": "Only this request has it; sent again, it gets the first answer.",
            "schema": {"type": "string", "maxLength": 80},
        }
        operation["parameters"] = [key]
    return operation


def _json(kind: type) -> dict[str, Any]:
    return {"application/json": _schema(kind)}


def _schema(kind: type) -> dict[str, Any]:
    return {"schema": _BY_KIND[kind]}
