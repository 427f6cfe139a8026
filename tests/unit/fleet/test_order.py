"""What a technician asks of a reader, before anything is made of it."""

from __future__ import annotations

import pytest

from besnik.fleet.order import PASSWORD, Order, asked
from besnik.fleet.settings import SettingsError


@pytest.mark.parametrize("password", ["", "8 signs!", "x" * 63])
def test_a_password_of_a_network_is_taken_as_it_is(
    monkeypatch: pytest.MonkeyPatch, password: str
) -> None:
    monkeypatch.setenv(PASSWORD, password)
    assert asked(Order(reader="counter-1", wifi="Counter")).password == password


@pytest.mark.parametrize("password", ["Q", "7 signs", "Q" * 64])
def test_one_that_no_network_can_have_is_told_and_not_shown(
    monkeypatch: pytest.MonkeyPatch, password: str
) -> None:
    monkeypatch.setenv(PASSWORD, password)
    with pytest.raises(SettingsError, match="'Counter' has 8 to 63 letters") as caught:
        asked(Order(reader="counter-1", wifi="Counter"))
    assert password not in str(caught.value)
