"""Staff: who may do what to whom, and PINs."""

from __future__ import annotations

import datetime as dt
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import connection, transaction
from django.utils import timezone

from besnik.store import pins, staff
from besnik.store.models import AuditRecord, Program, Role, Shop, Staff
from besnik.store.staff import PinError, StaffError, check_pin

GOOD = "long enough a secret"


@pytest.fixture
def people(orm: str) -> dict[str, Staff]:
    """The demo's person of each role."""
    return {person.role: person for person in Staff.objects.all()}


def new(by: Staff | None, role: str = "cashier", **changes: object) -> Staff:
    program = by.program if by else Program.objects.get()
    fields = {"username": "nora", "name": "Nora Dema", "role": role, "by": by} | changes
    person, _ = staff.add(program, **fields)  # type: ignore[arg-type]
    return person


def test_a_new_person_gets_a_password_to_be_changed(people: dict[str, Staff]) -> None:
    person, password = staff.add(
        Program.objects.get(), username=" Nora ", name="Nora", role="cashier", by=people["manager"]
    )
    assert person.username == "nora"
    assert person.must_change
    assert Staff.objects.get(pk=person.pk).check_password(password)
    assert Staff.objects.get(pk=person.pk).password.startswith("argon2")
    record = AuditRecord.objects.latest("pk")
    assert (record.action, record.staff) == ("staff.add", people["manager"])
    assert "Nora" not in str(record.detail)


@pytest.mark.parametrize(
    ("by", "role", "is_allowed"),
    [
        ("owner", "owner", True),
        ("owner", "auditor", True),
        ("owner", "cashier", True),
        ("manager", "cashier", True),
        ("manager", "lead", True),
        ("manager", "manager", False),
        ("manager", "owner", False),
        ("manager", "auditor", False),
        ("lead", "cashier", False),
        ("cashier", "cashier", False),
        ("auditor", "cashier", False),
    ],
)
def test_who_may_add_whom(people: dict[str, Staff], by: str, role: str, is_allowed: bool) -> None:
    if is_allowed:
        assert new(people[by], role).role == role
    else:
        with pytest.raises(StaffError) as refused:
            new(people[by], role)
        assert refused.value.code == "role"
        assert not Staff.objects.filter(username="nora").exists()


@pytest.mark.parametrize("username", ["", "a", "Ana Hoxha", "Ελένη", "a" * 41, "x\n", "<b>"])
def test_a_user_name_is_plain(people: dict[str, Staff], username: str) -> None:
    with pytest.raises(StaffError) as refused:
        new(people["owner"], username=username)
    assert refused.value.code == "username"


def test_a_user_name_is_somebody_s_whatever_its_case(people: dict[str, Staff]) -> None:
    new(people["owner"])
    with pytest.raises(StaffError) as refused:
        new(people["owner"], username="NORA")
    assert refused.value.code == "username_taken"


def test_a_weak_password_is_refused_with_all_that_is_wrong(orm: str) -> None:
    with pytest.raises(StaffError) as refused:
        new(None, "owner", password="12345")
    assert refused.value.code == "password"
    assert "too short" in str(refused.value) and "numeric" in str(refused.value)
    assert not new(None, "owner", password=GOOD).must_change


def test_a_manager_of_one_shop_stays_in_it(people: dict[str, Staff]) -> None:
    here = Shop.objects.get()
    there = Shop.objects.create(program=here.program, slug="there", name="There")
    manager = people["manager"]
    manager.shops.add(here)
    ours = new(manager, shops=[here])
    for wrong in ([there], [here, there], []):
        with pytest.raises(StaffError) as refused:
            new(manager, username="other", shops=wrong)
        assert refused.value.code == "shops"
    theirs = new(people["owner"], username="theirs", shops=[there])
    everywhere = new(people["owner"], username="everywhere")
    assert staff.managed_by(manager, ours)
    assert not staff.managed_by(manager, theirs)
    assert not staff.managed_by(manager, everywhere)
    with pytest.raises(StaffError):
        staff.deactivate(theirs, by=manager)


def test_a_shop_of_another_program_is_refused(people: dict[str, Staff]) -> None:
    foreign = Shop.objects.create(
        program=Program.objects.create(name="Other"), slug="foreign", name="Foreign"
    )
    with pytest.raises(StaffError) as refused:
        new(people["owner"], shops=[foreign])
    assert refused.value.code == "shops"


def test_nobody_of_another_program_is_touched(people: dict[str, Staff]) -> None:
    other = Program.objects.create(name="Other")
    person, _ = staff.add(other, username="nora", name="Nora", role="cashier")
    for act in (staff.deactivate, staff.reset_password, staff.activate):
        with pytest.raises(StaffError):
            act(person, by=people["owner"])
    with pytest.raises(StaffError):
        staff.set_pin(person, "2580", by=people["owner"])


def test_nobody_changes_oneself_and_an_owner_stays(people: dict[str, Staff]) -> None:
    owner = people["owner"]
    with pytest.raises(StaffError) as refused:
        staff.deactivate(owner, by=owner)
    assert refused.value.code == "self"
    second = new(owner, "owner")
    staff.deactivate(owner, by=second)
    third = new(second, "owner", username="third")
    Staff.objects.filter(pk=second.pk).update(is_active=False)
    with pytest.raises(StaffError) as refused:
        staff.deactivate(third, by=second)
    assert refused.value.code == "last_owner"
    with pytest.raises(StaffError) as refused:
        staff.change(third, by=second, name="Third", role="manager", shops=[])
    assert refused.value.code == "last_owner"


def test_one_s_own_password(people: dict[str, Staff]) -> None:
    person, first = staff.add(
        Program.objects.get(), username="nora", name="Nora", role="cashier", by=people["owner"]
    )
    with pytest.raises(StaffError) as refused:
        staff.set_password(person, "wrong", GOOD)
    assert refused.value.code == "old"
    with pytest.raises(StaffError) as refused:
        staff.set_password(person, first, first)
    assert refused.value.code == "same"
    before = person.get_session_auth_hash()
    staff.set_password(person, first, GOOD)
    read = Staff.objects.get(pk=person.pk)
    assert read.check_password(GOOD) and not read.must_change
    assert read.get_session_auth_hash() != before


class TestPins:
    """4 to 8 digits, tried five times."""

    @pytest.fixture
    def lead(self, people: dict[str, Staff]) -> Staff:
        staff.set_pin(people["lead"], "2580", by=people["owner"])
        return people["lead"]

    def test_the_right_one_is_right_in_any_digits(self, lead: Staff) -> None:
        assert check_pin(lead, "2580")
        assert check_pin(lead, "۲۵۸۰")
        assert check_pin(lead, " 25 80 ")
        assert Staff.objects.get(pk=lead.pk).pin.startswith("argon2")

    @pytest.mark.parametrize("pin", ["258", "258025802", "25a0", "1111", "1234", "98765", "٢٢٢٢"])
    def test_a_pin_that_is_none_or_is_guessed_first_is_refused(
        self, people: dict[str, Staff], pin: str
    ) -> None:
        with pytest.raises(StaffError):
            staff.set_pin(people["lead"], pin, by=people["owner"])

    def test_after_five_wrong_ones_even_the_right_one_waits(self, lead: Staff) -> None:
        for _ in range(pins.TRIES):
            with pytest.raises(PinError) as wrong:
                check_pin(lead, "2581")
            assert wrong.value.code == "pin_wrong"
        with pytest.raises(PinError) as locked:
            check_pin(lead, "2580")
        assert locked.value.code == "pin_locked"
        assert AuditRecord.objects.latest("pk").action == "staff.pin_locked"
        Staff.objects.filter(pk=lead.pk).update(
            pin_locked_until=timezone.now() - dt.timedelta(seconds=1)
        )
        assert check_pin(lead, "2580")

    def test_the_right_one_counts_from_the_beginning_again(self, lead: Staff) -> None:
        for _ in range(2):
            for _each in range(pins.TRIES - 1):
                with pytest.raises(PinError):
                    check_pin(lead, "0000")
            assert check_pin(lead, "2580")

    def test_tries_at_once_are_no_more_than_tries_in_a_row(self, lead: Staff) -> None:
        settings = connection.settings_dict

        def work(number: int) -> str:
            from django.db import connections

            connections.settings = {"default": settings}
            try:
                check_pin(lead, f"{number:04d}")
            except PinError as error:
                return error.code
            finally:
                connections.close_all()
            return "right"

        with ThreadPoolExecutor(8) as threads:
            codes = list(threads.map(work, range(12)))
        assert sorted(codes) == ["pin_locked"] * 7 + ["pin_wrong"] * 5

    def test_nobody_has_a_pin_before_one_is_set_and_after_leaving(
        self, people: dict[str, Staff], lead: Staff
    ) -> None:
        with pytest.raises(PinError) as none:
            check_pin(people["manager"], "")
        assert none.value.code == "pin_none"
        staff.deactivate(lead, by=people["owner"])
        with pytest.raises(PinError):
            check_pin(lead, "2580")

    def test_inside_a_transaction_it_would_not_count(self, lead: Staff) -> None:
        with pytest.raises(RuntimeError), transaction.atomic():
            check_pin(lead, "2580")

    def test_one_s_own_pin_needs_nobody(self, people: dict[str, Staff]) -> None:
        staff.set_pin(people["lead"], "8024", by=people["lead"])
        assert check_pin(people["lead"], "8024")
        with pytest.raises(StaffError):
            staff.set_pin(people["manager"], "8024", by=people["lead"])


def test_the_roles_are_known(orm: str) -> None:
    assert set(Staff.objects.values_list("role", flat=True)) == set(Role.values)
