"""Style sheets, scripts and templates keep to what makes every language and every till work."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from besnik import site

SITE = Path(site.__file__).parent
SHEETS = sorted(SITE.glob("static/**/*.css"))
TEMPLATES = sorted(SITE.glob("templates/**/*.html"))
SCRIPTS = sorted(SITE.glob("static/**/*.js"))

# A property or value that names a side of the screen instead of a side of the text.
PHYSICAL = re.compile(
    r"(?:^|[\s;{])(?:(?:margin|padding|border|scroll-margin|scroll-padding)-(?:left|right|top|bottom)\b"
    r"|border-(?:top|bottom)-(?:left|right)-radius|(?:left|right|top|bottom|width|height|"
    r"(?:min|max)-(?:width|height))\s*:"
    r"|(?:text-align|float|clear)\s*:\s*(?:left|right))",
    re.MULTILINE,
)
# Four values go round the screen's sides (or corners), not the text's: left must equal right.
FOUR_VALUES = re.compile(r"\b(margin|padding|inset|border-radius)\s*:([^;]+);")
WORDS = re.compile(r"(?:[^\s(]|\([^()]*(?:\([^()]*\)[^()]*)*\))+")
FONT_SIZE = re.compile(r"font-size:\s*(?:clamp\()?([\d.]+)(rem|em|px)")


def rules(sheet: Path) -> str:
    text = re.sub(r"/\*.*?\*/", "", sheet.read_text(encoding="utf-8"), flags=re.DOTALL)
    return re.sub(r"@(?:media|container)[^{]*\{", "{", text)


def lopsided(text: str) -> list[str]:
    found = []
    for name, value in FOUR_VALUES.findall(text):
        words = WORDS.findall(value)
        if name == "border-radius":
            mirrored = len(words) == 1 or (words[:1] == words[1:2] and words[2:3] == words[3:4])
        else:
            mirrored = len(words) < 4 or words[1] == words[3]
        if not mirrored:
            found.append(f"{name}: {value.strip()}")
    return found


@pytest.mark.parametrize("sheet", SHEETS, ids=lambda sheet: sheet.name)
def test_positions_are_logical(sheet: Path) -> None:
    assert PHYSICAL.findall(rules(sheet)) == []
    assert lopsided(rules(sheet)) == []


@pytest.mark.parametrize("sheet", SHEETS, ids=lambda sheet: sheet.name)
def test_text_is_at_least_18_px(sheet: Path) -> None:
    sizes = {match[0]: float(match[1]) for match in FONT_SIZE.finditer(rules(sheet))}
    small = {text for text, size in sizes.items() if size < 1}
    # The number on a card of the virtual counter's tray is decoration.
    assert small <= ({"font-size: 0.75rem"} if sheet.name == "counter.css" else set())
    if sheet.name == "base.css":
        assert "font: 112.5%/" in rules(sheet)


@pytest.mark.parametrize("file", [*SHEETS, *SCRIPTS, *TEMPLATES], ids=lambda file: file.name)
def test_nothing_comes_from_elsewhere_or_is_written_in_line(file: Path) -> None:
    text = file.read_text(encoding="utf-8")
    assert not re.search(r"https?://|url\(|@import", text)
    if file.suffix == ".html":
        assert not re.search(r"\sstyle=|\son\w+=|<style|<script(?![^>]*\ssrc=)", text)


# What people have named is in a language and a direction of its own.
NAMED = re.compile(
    r"\{\{ *[\w.]*\b(?:shop|till|member|program|user|staff|reader|reward)\.(?:name|title)\b"
)
OUTSIDE = re.compile(r"<(?:bdi|title|option)[^>]*>[^<]*$|<[^<>]*$|\{%[^%]*$")


@pytest.mark.parametrize("file", TEMPLATES, ids=lambda file: file.name)
def test_a_name_keeps_its_direction(file: Path) -> None:
    text = re.sub(r"\{% block title %\}.*?\{% endblock %\}", "", file.read_text(encoding="utf-8"))
    bare = [
        found.group() for found in NAMED.finditer(text) if not OUTSIDE.search(text[: found.start()])
    ]
    assert bare == [], "put it into <bdi>"


def test_arrows_turn_round_in_a_language_from_right_to_left() -> None:
    icons = (SITE / "templates/site/_icon.html").read_text(encoding="utf-8")
    named = set(re.findall(r'name == "(\w+)" %\}<', icons))
    turned = set(re.findall(r'name == "(\w+)"', icons.partition(" turns")[0]))
    assert turned == named & {"back", "undo", "erase", "next", "forward", "redo", "send"}


def test_the_checks_find_what_they_look_for() -> None:
    for bad in ("a{margin-left:1px}", "a { text-align: right }", "a{\n left: 0 }", "a{width: 1px}"):
        assert PHYSICAL.search(bad), bad
    assert lopsided("padding: 1px 2px 1px max(3px, 1em);") == ["padding: 1px 2px 1px max(3px, 1em)"]
    assert lopsided("border-radius: 1px 2px;") == ["border-radius: 1px 2px"]
    assert lopsided("padding: 1px clamp(1px, 4cqi, var(--x)); border-radius: 0 0 1px 1px;") == []
    assert not PHYSICAL.search("a{margin-inline-start:1px;inset-inline:0;text-align:start}")


def classes(name: str) -> set[str]:
    """Return the classes that a sheet styles by themselves, wherever they are."""
    (sheet,) = [each for each in SHEETS if each.name == name]
    selectors = (
        each for rule in re.findall(r"([^{}]+)\{", rules(sheet)) for each in rule.split(",")
    )
    return {found[1] for each in selectors if (found := re.match(r"\s*\.([a-z][\w-]*)", each))}


def test_the_counter_and_the_till_share_a_page_and_no_class() -> None:
    """On the demo page one's rules are laid on the other's parts too."""
    assert classes("counter.css") & (classes("till.css") | classes("desk.css")) == set()
