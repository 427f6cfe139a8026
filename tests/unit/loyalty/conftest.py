"""How long the property tests run: 100 examples each, or as many as BESNIK_EXAMPLES says."""

from __future__ import annotations

import os

from hypothesis import settings

# No deadline: on a busy machine a slow example says nothing about the code.
settings.register_profile(
    "besnik", deadline=None, max_examples=int(os.environ.get("BESNIK_EXAMPLES", "100"))
)
settings.load_profile("besnik")
