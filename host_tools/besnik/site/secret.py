"""The key that signs cookies and form tokens: made once, kept in the state folder."""

from __future__ import annotations

import contextlib
import os
import secrets
import tempfile
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
        handle, draft = tempfile.mkstemp(prefix="secret_key.", dir=state)  # mode 0600
        with os.fdopen(handle, "w") as out:
            out.write(secrets.token_urlsafe(_BYTES))
        with contextlib.suppress(FileExistsError):
            file.hardlink_to(draft)
        Path(draft).unlink()
    return file.read_text()
