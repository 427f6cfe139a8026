"""A mapping of the owner's own that is mended while the worker runs."""

from __future__ import annotations

from pathlib import Path

from besnik.crm import find
from besnik.store.models import CrmSource
from besnik.store.people import NewCard, enrol
from support.paper_crm import PaperServer
from support.processes import wait_until
from support.worker import Workers


def test_a_mapping_that_is_mended_is_used_without_a_restart(
    workers: Workers, source: CrmSource, paper: PaperServer, tmp_path: Path
) -> None:
    def said() -> str:
        return CrmSource.objects.get(pk=source.pk).why

    file = tmp_path / "our-crm.toml"
    file.write_text("name = ")
    CrmSource.objects.filter(pk=source.pk).update(
        adapter="http", settings={**paper.settings, "mapping": str(file)}, place={}
    )
    worker = workers.start()
    wait_until(lambda: said().startswith("mapping: "), "the mistake is told", 20)
    shipped = Path(find.__file__).with_name("mappings") / "directus.toml"
    file.write_bytes(shipped.read_bytes())
    enrol(source.program, name="Rina", language="en", card=NewCard("uid", "04DEADBEEF1284"))
    wait_until(lambda: CrmSource.objects.get(pk=source.pk).asked > 0, "the CRM is asked", 20)
    assert worker.stop() == 0


def test_a_path_that_cannot_be_looked_at_is_told_and_ends_nothing(
    workers: Workers, source: CrmSource
) -> None:
    CrmSource.objects.filter(pk=source.pk).update(
        adapter="http", settings={"mapping": "/" + "x" * 300}, place={}
    )
    worker = workers.start()
    row = CrmSource.objects.filter(pk=source.pk)
    wait_until(lambda: row.get().why.startswith("mapping: /x"), "the mistake is told", 20)
    assert worker.stop() == 0
