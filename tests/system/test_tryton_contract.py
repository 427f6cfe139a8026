"""The contract of adapters on a real Tryton."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from support.crm_contract import CrmContract, CrmServer
from support.tryton import TrytonServer, running_tryton

# The first of these on a machine installs Tryton and makes its database.
pytestmark = pytest.mark.timeout(300)


@pytest.fixture(scope="module")
def tryton(environment: dict[str, str]) -> Iterator[TrytonServer]:
    """A Tryton for all tests of this module."""
    with running_tryton(environment) as server:
        yield server


class TestTryton(CrmContract):
    """The whole contract."""

    @pytest.fixture
    def server(self, tryton: TrytonServer) -> CrmServer:
        """See CrmContract."""
        return tryton
