"""Customers of a shop's other CRM who were erased here, and whom that CRM goes on knowing.

Of each a keyed digest of the CRM's number for them is kept and nothing else: it names nobody, and
is enough to see that a customer who comes by an import or a tap is not to become a member again.
"""

from __future__ import annotations

from collections.abc import Collection

from besnik.store.models import CrmLeftOut, CrmSource
from besnik.store.people.keyed import keyed


def leave_out(program: int, customer: str) -> None:
    """Take this customer (the CRM's number) of the program's CRM for nobody from now on."""
    adapter = _adapter(program)
    CrmLeftOut.objects.get_or_create(
        program_id=program, adapter=adapter, digest=_digest(program, adapter, customer)
    )


def left_out(program: int, customers: Collection[str]) -> set[str]:
    """Return those of the customers (the CRM's numbers) who were erased here."""
    if not customers:
        return set()
    adapter = _adapter(program)
    digests = {_digest(program, adapter, customer): customer for customer in customers}
    rows = CrmLeftOut.objects.filter(program=program, digest__in=digests)
    return {digests[digest] for digest in rows.values_list("digest", flat=True)}


def let_in(program: int, customer: str) -> None:
    """Forget that this customer was erased here."""
    digest = _digest(program, _adapter(program), customer)
    CrmLeftOut.objects.filter(program=program, digest=digest).delete()


def count_left_out(program: int) -> int:
    """Return how many customers of the program's CRM were erased here."""
    return CrmLeftOut.objects.filter(program=program, adapter=_adapter(program)).count()


def _adapter(program: int) -> str:
    # Numbers of one CRM say nothing about another's customers.
    found = CrmSource.objects.filter(program=program).values_list("adapter", flat=True).first()
    return found or ""


def _digest(program: int, adapter: str, customer: str) -> str:
    return keyed("erased customer", str(program), adapter, customer).hex()
