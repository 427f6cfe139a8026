"""A reader's ``config.json`` on the host: made, checked by the firmware's own code, kept.

The kept one is ``{state}/readers/READER/config.json``, mode 0600: it holds the shop's Wi-Fi.
"""

from __future__ import annotations

import json
import subprocess
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from besnik.broker import write_private
from besnik.fleet.build import ROOT
from besnik.unix_port import interpreter

# Only what the settings are checked with is loaded; the checks are those the reader will make.
_CHECK: Final = """
import json, sys
sys.path[:] = [{root!r}, ".frozen"]
from firmware import config
try:
    print(json.dumps(config.load({file!r})))
except config.ConfigError as error:
    print(error)
    sys.exit(1)
"""

Settings = dict[str, Any]


class SettingsError(ValueError):
    """Settings a reader would refuse; the text names key, value and what is allowed."""


def path_of(state: Path, reader: str) -> Path:
    """Return where a reader's settings are kept."""
    return state / "readers" / reader / "config.json"


def kept(state: Path, reader: str) -> Settings:
    """Return the settings kept for a reader, empty if there are none; SettingsError if damaged."""
    file = path_of(state, reader)
    try:
        found = json.loads(file.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    except ValueError as error:
        raise SettingsError(f"{file}: is not JSON: {error}; mend it or delete it") from error
    if not isinstance(found, dict):
        raise SettingsError(f"{file}: must be a JSON object; mend it or delete it")
    return found


def keep(state: Path, reader: str, settings: Settings) -> None:
    """Check settings and keep them; SettingsError, and the old ones stay."""
    check(settings)
    file = path_of(state, reader)
    file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    write_private(file, encode(settings))


def encode(settings: Settings) -> bytes:
    """Return the settings as the file that goes on the reader."""
    return (json.dumps(settings, indent=2, ensure_ascii=False) + "\n").encode()


def changed(settings: Settings, changes: Mapping[str, str]) -> Settings:
    """Return ``settings`` with ``changes``, by key as in ``pins.irq``; values are JSON, or text."""
    result: Settings = {
        key: dict(value) if isinstance(value, dict) else value for key, value in settings.items()
    }
    for key, text in changes.items():
        try:
            value = json.loads(text)
        except ValueError:
            value = text
        section, _, name = key.partition(".")
        if name:
            inner = result.setdefault(section, {})
            if not isinstance(inner, dict):
                raise SettingsError(f"{section} is no section: give {section} itself")
            inner[name] = value
        elif isinstance(value, dict):
            raise SettingsError(f"{key}: one setting at a time, as in {key}.NAME=VALUE")
        else:
            result[section] = value
    return result


def check(settings: Settings) -> Settings:
    """Return settings as the firmware has them: flat, as in ``pins.irq``, none left out.

    SettingsError with the firmware's own words if it would refuse them.
    """
    with tempfile.TemporaryDirectory(prefix="besnik-") as folder:
        # Named as it is on the reader, because the words name it; not to be read by others.
        file = Path(folder) / "config.json"
        file.write_bytes(encode(settings))
        script = _CHECK.format(root=str(ROOT), file=str(file))
        done = subprocess.run(
            [str(interpreter()), "-c", script],
            capture_output=True,
            text=True,
            timeout=10,
            check=False,
        )
    if done.returncode:
        words = (done.stdout or done.stderr).strip().replace(f"{folder}/", "")
        raise SettingsError(words)
    flat: Settings = json.loads(done.stdout)
    return flat
