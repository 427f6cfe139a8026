"""The examples of a document: code that stands in it, and what the document says it prints."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Example:
    """One block of Python under a heading, and the block of text that follows it."""

    heading: str
    code: str
    printed: str


def examples(document: Path) -> list[Example]:
    """Return a document's examples, in its order; a block of Python without output is none."""
    found: list[Example] = []
    heading, code = "", ""
    blocks = document.read_text(encoding="utf-8").split("```")
    for index, text in enumerate(blocks):
        if index % 2 == 0:
            headings = [line for line in text.splitlines() if line.startswith("#")]
            heading = headings[-1].lstrip("# ") if headings else heading
        elif text.startswith("python\n"):
            code = text.removeprefix("python\n")
        elif text.startswith("text\n") and code:
            found.append(Example(heading, code, text.removeprefix("text\n")))
            code = ""
    return found
