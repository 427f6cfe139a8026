"""Double entry: what the rules give is balanced, and what is not balanced is seen."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from besnik.loyalty.ledger import Posting, balanced
from besnik.loyalty.program import Rules, accrue_visit

postings = st.lists(
    st.builds(
        Posting,
        member=st.none() | st.integers(1, 9),
        unit=st.just("stamp"),
        amount=st.integers(-(10**12), 10**12).filter(bool),
    ),
    min_size=1,
)


@given(st.integers(1, 32767), st.integers(1, 2**40))
def test_a_visit_moves_stamps_from_the_program_to_the_member(stamps: int, member: int) -> None:
    entry = accrue_visit(Rules(program=3, stamps_per_visit=stamps), member)
    assert entry is not None
    assert (entry.program, entry.kind) == (3, "accrue")
    assert entry.postings == (Posting(member, "stamp", stamps), Posting(None, "stamp", -stamps))
    assert balanced(entry.postings)


def test_a_program_that_gives_nothing_makes_no_entry() -> None:
    assert accrue_visit(Rules(program=3, stamps_per_visit=0), member=1) is None


@given(postings)
def test_balanced_means_the_sum_is_zero(some: list[Posting]) -> None:
    total = sum(posting.amount for posting in some)
    assert balanced(some) is (total == 0)
    if total:
        assert balanced([*some, Posting(None, "stamp", -total)])


@pytest.mark.parametrize("empty", [[], [Posting(1, "stamp", 0), Posting(None, "stamp", 0)]])
def test_an_entry_that_moves_nothing_is_not_balanced(empty: list[Posting]) -> None:
    assert not balanced(empty)
