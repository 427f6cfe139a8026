"""Every action that is written into the audit log has a name on its page."""

from __future__ import annotations

import re
from pathlib import Path

import besnik
from besnik.site.owner.actions import action_name

CALL = re.compile(r'(?:audit\.record|_?note|_record)\(\s*[^()"]*(?:\([^()]*\))?[^()"]*"([a-z_.]+)"')


def test_every_action_has_a_name() -> None:
    folder = Path(besnik.__file__).parent
    written = {
        action
        for area in ("site", "store")
        for file in (folder / area).rglob("*.py")
        for action in CALL.findall(file.read_text(encoding="utf-8"))
    }
    assert {"login", "staff.add", "program.publish"} <= written
    nameless = {action for action in written if action_name(action) == action}
    assert nameless == set(), "name these in besnik.site.owner.actions"
