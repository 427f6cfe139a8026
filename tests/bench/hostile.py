"""Cards, phones and hosts that keep no rules, ten times as many as in `make test`.

`tests/fuzz` runs the device's own code on CPython against the register-level chip, in emulated
time, and hypothesis draws what is answered, when, and how it is damaged. What must hold: no
exception but a CardError with a known reason, an end within three seconds, no chip that is taken
for dead, no more taps than presentations, no command at a card that the relay's list does not have.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys

from figures import Figure
from parts import ROOT

TITLE = "Hostile cards"


def measure() -> list[Figure]:
    """Run the property-based tests with the long profile."""
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "--hypothesis-show-statistics", "tests/fuzz"],
        cwd=ROOT,
        env={**os.environ, "HYPOTHESIS_PROFILE": "long"},
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        print(done.stdout)
    examples = sum(int(count) for count in re.findall(r"(\d+) passing, ", done.stdout))
    failed = sum(int(count) for count in re.findall(r"(\d+) failed", done.stdout))
    return [
        Figure("examples", f"{examples:,}"),
        Figure("properties that did not hold", str(failed), "0", done.returncode == 0),
    ]
