"""The mappings of CRMs that nobody can run here, against Prism: shapes only.

Prism refuses what does not fit our own minimal OpenAPI file of a vendor (`shapes/`), which is
written from the vendor's pages, and answers with its examples. It keeps nothing and knows no
rights, so this says neither that the live service takes the requests nor that it does what we want.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from importlib.metadata import entry_points
from pathlib import Path
from typing import NamedTuple

import msgspec
import pytest

from besnik.crm.foreign import CrmAnswerError, Customer, ForeignCrm, NewCustomer
from besnik.crm.http.adapter import HttpCrm
from besnik.crm.http.mapping import Mapping
from support.broker import free_port
from support.crm_visits import visit
from support.node import installed, node
from support.processes import Processes

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]

# 5.13 and later want a newer Node.js than Debian 12 has.
PRISM = {"@stoplight/prism-cli": "5.12.0"}
CARD = "04A1B2C3D4E580"
# The customer's id in the examples.
VENDORS = {
    "espocrm": "55643ca033f7ab4c5",
    "hubspot": "512",
    "odoo": "7",
    "salesforce": "003000000000001AAA",
    "suitecrm": "b13a39f8-1c24-c5d0-ba0d-5ab123d6e899",
    "zoho": "554023000000527002",
}


class Vendor(NamedTuple):
    name: str
    customer: str
    url: str
    adapter: type[HttpCrm]

    def open(self, mapping: Mapping | None = None) -> HttpCrm:
        """Return the adapter, with all that its owner would fill in."""
        mapping = mapping or self.adapter.mapping()
        given = {"url": self.url, "accounts": self.url, "client_id": "us", "database": "shop"}
        secrets = {each.name: "0123456789" for each in mapping.settings if each.is_secret}
        return self.adapter(mapping, given, secrets)


@pytest.fixture(scope="module", params=VENDORS)
def vendor(request: pytest.FixtureRequest, servers: Processes, root: Path) -> Iterator[Vendor]:
    name: str = request.param
    (point,) = entry_points(group="besnik.crm", name=name)
    adapter = point.load()
    assert issubclass(adapter, HttpCrm)
    assert adapter.mapping().tested == "shapes only"
    prism = installed("prism-5.12.0", PRISM) / "node_modules/@stoplight/prism-cli/dist/index.js"
    port = free_port()
    shapes = root / f"tests/slow/shapes/{name}.yaml"
    running = servers.start(
        f"prism-{name}",
        [node(), prism, "mock", "--errors", "-h", "127.0.0.1", "-p", str(port), shapes],
        ready="Prism is listening",
        timeout_s=60,
    )
    yield Vendor(name, VENDORS[name], f"http://127.0.0.1:{port}", adapter)
    running.kill()


@pytest.fixture
async def crm(vendor: Vendor) -> AsyncIterator[ForeignCrm]:
    adapter = vendor.open()
    yield adapter
    await adapter.aclose()


async def test_a_customer_is_read_from_its_answers(crm: ForeignCrm, vendor: Vendor) -> None:
    anna = Customer(vendor.customer, "Anna Arben", (CARD,), 42, {"tea": "green"})
    # A code with a quote in it goes as a value, whatever the language.
    assert await crm.lookup_many([CARD, "O'NEILL"][: crm.capabilities.lookup_max], ["tea"]) == {
        CARD: anna
    }
    assert await crm.refresh([vendor.customer], ["tea"]) == {vendor.customer: anna}
    page = await crm.list_customers(None, ["tea"])
    assert [each.id for each in page.customers] == [vendor.customer]
    assert (await crm.health()).ok
    assert any(each.name == "tea" and each.label for each in await crm.describe())


async def test_visits_are_written_and_their_results_understood(
    crm: ForeignCrm, vendor: Vendor
) -> None:
    events = ["e1-1", "e1-2", "e1-3"] if vendor.name == "salesforce" else ["e1-1", "e1-2"]
    visits = [visit(vendor.customer, event) for event in events]
    done = await crm.record_visits(visits, again=True)
    assert [each.outcome for each in done] == ["already", "done", "refused"][: len(events)]
    assert all("INVALID_CROSS_REFERENCE_KEY" in each.why for each in done[2:])


async def test_a_member_is_made_and_its_id_understood(crm: ForeignCrm, vendor: Vendor) -> None:
    mapping = vendor.adapter.mapping()
    nobody = {**mapping.lookup.headers, "Prefer": "example=nobody"}
    lookup = msgspec.structs.replace(mapping.lookup, headers=nobody)
    adapter = vendor.open(msgspec.structs.replace(mapping, lookup=lookup))
    new = NewCustomer("m7", "Céline O'Neill", ("0499",), "+35569123456", "celine@example.com")
    (made,) = await adapter.create_customers([new], again=False)
    assert (made.outcome, made.customer) == ("done", "600")
    (held,) = await crm.create_customers([msgspec.structs.replace(new, cards=(CARD,))], again=False)
    assert (held.outcome, held.customer) == ("already", vendor.customer)
    await adapter.aclose()


async def test_what_does_not_fit_the_shapes_would_be_noticed(vendor: Vendor) -> None:
    mapping = vendor.adapter.mapping()
    wrong = msgspec.structs.replace(mapping.lookup, query={"x": "1"}, body={"x": 1})
    adapter = vendor.open(msgspec.structs.replace(mapping, lookup=wrong))
    with pytest.raises(CrmAnswerError, match="does not understand"):
        await adapter.lookup_many([CARD], [])
    await adapter.aclose()
