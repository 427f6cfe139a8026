"""What a benchmark found, against its goal."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Figure:
    """One number: what it is, its value as text, the goal as text, and whether it is met.

    ``is_met`` is None for a number that is told for comparison and has no goal of its own.
    """

    what: str
    value: str
    goal: str = ""
    is_met: bool | None = None


def at_most(what: str, value: float, limit: float, unit: str, digits: int = 0) -> Figure:
    """Return a figure whose goal is to be no more than ``limit``."""
    return Figure(what, f"{value:.{digits}f} {unit}", f"≤ {limit:g} {unit}", value <= limit)


def at_least(what: str, value: float, limit: float, unit: str = "", digits: int = 0) -> Figure:
    """Return a figure whose goal is to be no less than ``limit``."""
    measured, goal = f"{value:,.{digits}f} {unit}", f"≥ {limit:,g} {unit}"
    return Figure(what, measured.strip(), goal.strip(), value >= limit)


def table(figures: list[Figure]) -> str:
    """Return the figures as a Markdown table."""
    rows = ["| what | measured | goal | met |", "|---|---|---|---|"]
    for figure in figures:
        met = {True: "yes", False: "**no**", None: ""}[figure.is_met]
        rows.append(f"| {figure.what} | {figure.value} | {figure.goal} | {met} |")
    return "\n".join(rows)
