"""``python -m besnik.crm``: see `besnik.crm.service`; prints ``crm: ready``."""

from __future__ import annotations

import sys

from besnik.store.terminal import run


def main() -> int:
    """Run until SIGTERM; return the exit status (1: no database, 2: settings cannot be used)."""

    def work() -> int:
        from besnik.crm.service import main as serve

        return serve()

    return run("besnik crm", work)


if __name__ == "__main__":
    sys.exit(main())
