"""The key that signs cookies and form tokens: made once, kept in the state folder."""

from __future__ import annotations

import os
import secrets
from pathlib import Path

_BYTES = 50


def secret_key(state: Path) -> str:
    """Return the installation's key; the first caller makes it, readable by its owner only.

    Several processes may start at once: each writes a file of its own and links it into
    place, so whoever comes second reads the first one's key, never half of it.
    """
    file = state / "secret_key"
    if not file.exists():
        state.mkdir(parents=True, exist_ok=True)
        draft = state / f"secret_key.{os.getpid()}"
        draft.unlink(missing_ok=True)
        with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as out:
            out.write(secrets.token_urlsafe(_BYTES))
        try:
            file.hardlink_to(draft)
        except FileExistsError:
            pass
        finally:
            draft.unlink()
    return file.read_text()
