"""A program in words, in the five languages, from the object that the engine computes with."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec
from django.utils import translation

from besnik.loyalty.lint import Finding, check
from besnik.loyalty.program import Program
from besnik.loyalty.rule_text import rule_text
from besnik.loyalty.rules import Rule
from besnik.loyalty.text import program_text
from besnik.loyalty.texts.catalogue import LANGUAGES, Language, Message
from besnik.site import figures
from besnik.site.languages import LANGUAGES as PAGE_LANGUAGES


class Words(msgspec.Struct, frozen=True):
    """Sentences in one language; ``own_name`` is the language's own name."""

    code: str
    own_name: str
    rtl: bool
    sentences: tuple[str, ...]


class Said(msgspec.Struct, frozen=True):
    """A finding of the linter in the page's language."""

    code: str
    subject: str
    error: bool
    text: str


def language() -> Language:
    """Return the language of the page."""
    code = translation.get_language() or "en"
    return code if code in LANGUAGES else "en"


def sentence(message: Message, code: Language | None = None) -> str:
    """Return a message in a language, the page's if none is named."""
    with translation.override(code or language()):
        return figures.say(message)


def sentences(program: Program, code: Language | None = None) -> list[str]:
    """Return what a program promises in a language."""
    return [sentence(message, code) for message in program_text(program)]


def in_all(messages: Sequence[Message]) -> list[Words]:
    """Return messages in the five languages, the page's first."""
    own = language()
    names: dict[str, Any] = dict(PAGE_LANGUAGES)
    order = [own, *(code for code in LANGUAGES if code != own)]
    return [
        Words(code, str(names[code]), code == "fa", tuple(sentence(one, code) for one in messages))
        for code in order
    ]


def rule_in_all(rule: Rule, program: Program) -> list[Words]:
    """Return one rule in the five languages."""
    return in_all(rule_text(rule, program))


def findings(program: Program) -> list[Said]:
    """Return what the linter finds, errors first."""
    said = [_said(finding) for finding in check(program)]
    return sorted(said, key=lambda one: not one.error)


def _said(finding: Finding) -> Said:
    return Said(
        finding.code, finding.subject, finding.severity == "error", sentence(finding.message)
    )
