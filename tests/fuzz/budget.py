"""How long hypothesis looks: HYPOTHESIS_PROFILE=long, as `make bench` sets it, is 10 times."""

from __future__ import annotations

import os

from hypothesis import HealthCheck, settings

_IS_LONG = os.environ.get("HYPOTHESIS_PROFILE") == "long"
_LONGER = 10


def examples(count: int) -> settings:
    """Return the settings of a test that tries ``count`` examples in `make test`.

    There they are the same each time, so that nobody's change fails for another's luck; the long
    profile draws new ones.
    """
    return settings(
        max_examples=count * (_LONGER if _IS_LONG else 1),
        derandomize=not _IS_LONG,
        database=None,
        deadline=None,
        suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
        print_blob=True,
    )
