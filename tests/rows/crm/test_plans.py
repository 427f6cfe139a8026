"""How cards are looked for by their numbers: as fast among 100,000 as among ten."""

from __future__ import annotations

import pytest
from django.db import connection


@pytest.mark.usefixtures("orm")
def test_cards_are_found_by_their_index_without_statistics() -> None:
    from besnik.store.models import Program
    from besnik.store.numbers import cards_of

    if connection.vendor != "sqlite":
        pytest.skip("the plan is read in SQLite's words")
    numbers = [f"04{number:010X}80" for number in range(20)]
    plan = cards_of(Program.objects.get().pk, numbers).explain()
    assert "SEARCH" in plan
    assert "program_id=? AND kind=? AND data=?" in plan, plan
