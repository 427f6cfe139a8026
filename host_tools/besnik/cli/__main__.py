"""``python -m besnik.cli`` is ``besnik``."""

from __future__ import annotations

import sys

from besnik.cli import main

sys.exit(main())
