"""Points: collect, then use."""

from __future__ import annotations

from besnik.loyalty.rewards import AmountOff, Reward
from besnik.loyalty.templates import Basis, savings
from support.pos import FIRST_DAY, Open

BASIS = Basis(0, "Corner", FIRST_DAY)


def test_L20_collect_then_redeem(open_shop: Open) -> None:
    pos = open_shop(savings(BASIS))
    pos.publish(
        rewards=(Reward(id="four", title="4 off", kind=AmountOff(400), cost=40),), joining_gift=None
    )
    anna = pos.join()
    assert anna.buy(4_780)["earned"] == {"point": 47}
    done = pos.ask("redeem", who=anna.who, reward="four")
    assert (done["cost"], done["off_minor"]) == (40, 400)
    assert anna.has() == 7
