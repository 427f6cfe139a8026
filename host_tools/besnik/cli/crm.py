"""The commands on foreign CRMs."""

from __future__ import annotations

import argparse


def add(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the commands of this file."""
    crm = commands.add_parser("crm", help="the shop's other CRM: what Besnik asks and tells it")
    what = crm.add_subparsers(title="commands", metavar="COMMAND", required=True)
    run = what.add_parser("run", help="speak with the CRMs of all programs, until it is stopped")
    run.set_defaults(action=_run)

    adding = what.add_parser("add", help="connect a CRM: fill in what it needs, test it, keep it")
    adding.add_argument("adapter", nargs="?", default="", help="which one; without it: which are")
    adding.add_argument(
        "--set",
        action="append",
        default=[],
        metavar="NAME=VALUE",
        help="what it asks for; passwords are typed, or in BESNIK_CRM_<NAME>",
    )
    _card(adding)
    test = what.add_parser("test", help="look up a card there, and say what is missing")
    _card(test)
    taking = what.add_parser(
        "import", help="make members of all customers there; goes on if broken"
    )
    taking.add_argument("--dry-run", action="store_true", help="only count what it would do")
    taking.add_argument(
        "--anew", action="store_true", help="begin with the first customer: nobody is taken twice"
    )
    readmit = what.add_parser(
        "take-in", help="make somebody a member again who was erased here, because they wish it"
    )
    readmit.add_argument("number", help="their number there, or that of their card")
    on = what.add_parser("on", help="ask and tell it from now on")
    off = what.add_parser("off", help="leave it alone; what happens meanwhile is told later")
    refusing = what.add_parser(
        "refuse-waiting", help="of a CRM that is off: let taps that wait for it be unknown cards"
    )
    same = what.add_parser("same", help="at its new address it has the same customers: go on")
    forget = what.add_parser(
        "forget", help="it has other customers than before: forget which of them members are"
    )
    status = what.add_parser("status", help="how it does, and what waits")
    for part, action in (
        (adding, _add),
        (test, _test),
        (taking, _import),
        (readmit, _take_in),
        (on, _on),
        (off, _off),
        (refusing, _refuse_waiting),
        (same, _same),
        (forget, _forget),
        (status, _status),
    ):
        part.add_argument("--program", default="", help="whose, if there are several")
        part.set_defaults(action=action)


def _card(part: argparse.ArgumentParser) -> None:
    part.add_argument("--card", default="", metavar="NUMBER", help="a card of a customer there")


def _run(_: argparse.Namespace) -> int:
    from besnik.crm.__main__ import main as crm

    return crm()


def _add(chosen: argparse.Namespace) -> int:
    from besnik.cli import crm_terminal

    return crm_terminal.connect(chosen.program, chosen.adapter, chosen.set, chosen.card)


def _test(chosen: argparse.Namespace) -> int:
    from besnik.cli import crm_terminal

    return crm_terminal.test(chosen.program, chosen.card)


def _import(chosen: argparse.Namespace) -> int:
    from besnik.cli import crm_terminal

    return crm_terminal.take_over(chosen.program, dry=chosen.dry_run, anew=chosen.anew)


def _take_in(chosen: argparse.Namespace) -> int:
    from besnik.cli import crm_terminal

    return crm_terminal.readmit(chosen.program, chosen.number)


def _on(chosen: argparse.Namespace) -> int:
    from besnik.cli import crm_terminal

    return crm_terminal.switch(chosen.program, on=True)


def _off(chosen: argparse.Namespace) -> int:
    from besnik.cli import crm_terminal

    return crm_terminal.switch(chosen.program, on=False)


def _refuse_waiting(chosen: argparse.Namespace) -> int:
    from besnik.cli import crm_terminal

    return crm_terminal.refuse_waiting(chosen.program)


def _same(chosen: argparse.Namespace) -> int:
    from besnik.cli import crm_terminal

    return crm_terminal.moved(chosen.program, same=True)


def _forget(chosen: argparse.Namespace) -> int:
    from besnik.cli import crm_terminal

    return crm_terminal.moved(chosen.program, same=False)


def _status(chosen: argparse.Namespace) -> int:
    from besnik.cli import crm_terminal

    return crm_terminal.status(chosen.program)
