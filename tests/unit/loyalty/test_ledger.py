"""Double entry: what is not balanced is seen."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from besnik.loyalty.ledger import Posting, balanced

postings = st.lists(
    st.builds(
        Posting,
        member=st.none() | st.integers(1, 9),
        unit=st.just("stamp"),
        amount=st.integers(-(10**12), 10**12).filter(bool),
    ),
    min_size=1,
)


@given(postings)
def test_balanced_means_the_sum_is_zero(some: list[Posting]) -> None:
    total = sum(posting.amount for posting in some)
    assert balanced(some) is (total == 0)
    if total:
        assert balanced([*some, Posting(None, "stamp", -total)])


@pytest.mark.parametrize("empty", [[], [Posting(1, "stamp", 0), Posting(None, "stamp", 0)]])
def test_an_entry_that_moves_nothing_is_not_balanced(empty: list[Posting]) -> None:
    assert not balanced(empty)
