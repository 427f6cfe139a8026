"""The audit log: one chain, whoever writes to it, and nothing in it changed unnoticed."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import connection, transaction

from besnik.store import audit
from besnik.store.models import AuditRecord, Staff


@pytest.fixture
def owner(orm: str) -> Staff:
    return Staff.objects.get(role="owner")


def take_over_the_database() -> None:
    """Do what somebody does who can change anything: get rid of what refuses."""
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute("ALTER TABLE store_auditrecord DISABLE TRIGGER USER")
            return
        cursor.execute(
            "SELECT name FROM sqlite_master WHERE type = 'trigger' AND tbl_name = %s",
            ["store_auditrecord"],
        )
        for (name,) in cursor.fetchall():
            cursor.execute(f"DROP TRIGGER {name}")


def write(owner: Staff, count: int) -> list[AuditRecord]:
    return [audit.record(owner, "test.write", f"thing:{each}", n=each) for each in range(count)]


def test_records_follow_each_other_and_say_whose_they_are(owner: Staff) -> None:
    first, second = write(owner, 2)
    assert (first.previous, second.previous) == (audit.START, first.hash)
    assert second.program_id == owner.program_id
    assert audit.record(None, "test.alone").program_id is None
    chain = audit.verify()
    assert (chain.length, chain.broken) == (3, None)


def test_what_the_database_gives_back_has_the_same_hash(owner: Staff) -> None:
    made = audit.record(owner, "test.detail", "x", text="Ελένη ك", n=-3, is_set=True, of=[1, None])
    read = AuditRecord.objects.get(pk=made.pk)
    assert audit.digest(read) == made.hash


@pytest.mark.parametrize(
    "change",
    [
        {"action": "test.other"},
        {"target": "thing:9"},
        {"detail": {"n": 7}},
        {"staff": None},
        {"program": None},
        {"previous": "f" * 64},
        {"hash": "f" * 64},
    ],
)
def test_a_record_that_was_changed_is_found(owner: Staff, change: dict[str, object]) -> None:
    records = write(owner, 4)
    take_over_the_database()
    AuditRecord.objects.filter(pk=records[1].pk).update(**change)
    broken = audit.verify().broken
    assert broken is not None and broken.row == records[1].pk


def test_a_record_that_was_taken_out_is_found(owner: Staff) -> None:
    records = write(owner, 4)
    take_over_the_database()
    records[1].delete()
    broken = audit.verify().broken
    assert broken is not None and broken.row == records[2].pk


def test_what_was_cut_off_at_the_end_is_found_by_who_noted_the_newest_hash(owner: Staff) -> None:
    records = write(owner, 4)
    noted = audit.verify().head
    assert audit.verify(holds=noted).broken is None
    write(owner, 2)
    assert audit.verify(holds=noted).broken is None
    take_over_the_database()
    AuditRecord.objects.filter(pk__gte=records[3].pk).delete()
    assert audit.verify().broken is None
    broken = audit.verify(holds=noted).broken
    assert broken is not None and "no longer" in broken.why


def test_the_end_alone_can_be_read(owner: Staff) -> None:
    records = write(owner, 6)
    assert audit.verify(newest=3).length == 3
    take_over_the_database()
    AuditRecord.objects.filter(pk=records[1].pk).update(target="thing:9")
    assert audit.verify(newest=3).broken is None
    assert audit.verify().broken is not None


def test_many_at_once_write_one_chain(orm: str, owner: Staff) -> None:
    settings = connection.settings_dict

    def work(_: int) -> None:
        from django.db import connections

        connections.settings = {"default": settings}
        try:
            for _each in range(5):
                audit.record(owner, "test.race")
        finally:
            connections.close_all()

    with ThreadPoolExecutor(6) as threads:
        list(threads.map(work, range(6)))
    chain = audit.verify()
    assert (chain.length, chain.broken) == (30, None)


def test_what_is_rolled_back_leaves_no_hole(owner: Staff) -> None:
    write(owner, 1)
    with pytest.raises(RuntimeError), transaction.atomic():
        audit.record(owner, "test.lost")
        raise RuntimeError
    write(owner, 1)
    chain = audit.verify()
    assert (chain.length, chain.broken) == (2, None)


@pytest.mark.parametrize("value", [1.5, object(), b"x", {1.5: "x"}])
def test_what_a_database_would_give_back_as_something_else_is_refused(
    owner: Staff, value: object
) -> None:
    with pytest.raises(TypeError):
        audit.record(owner, "test.detail", value=value)
    with pytest.raises(ValueError, match="null character"):
        audit.record(owner, "test.detail", value=["a\0b"])
