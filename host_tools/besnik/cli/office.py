"""Who works here, keys for tills, the log of who did what."""

from __future__ import annotations

import argparse


def add(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the commands of this file."""
    staff = commands.add_parser("staff", help="who works here")
    people = staff.add_subparsers(title="commands", metavar="COMMAND", required=True)
    add = people.add_parser(
        "add", help="add a person; the password is asked for, never an argument"
    )
    add.add_argument("username", metavar="USERNAME", help="2 to 40 of a-z, 0-9, dot, hyphen, _")
    roles = ("owner", "manager", "lead", "cashier", "auditor")
    add.add_argument("--role", choices=roles, required=True)
    add.add_argument("--name", default="", help="as customers and colleagues read it")
    add.add_argument("--program", default="", help="whose; the first one is made by its name")
    add.add_argument("--one-time", action="store_true", help="make a password and show it once")
    add.set_defaults(action=_staff_add)
    people.add_parser("list", help="show who works here").set_defaults(action=_staff_list)

    till = commands.add_parser("till", help="keys by which a till's software asks the API")
    keys = till.add_subparsers(title="commands", metavar="COMMAND", required=True)
    key = keys.add_parser("key", help="make a key for a till; it is shown once")
    key.add_argument("till", metavar="SHOP/TILL", help="as in the address of its page")
    key.add_argument("--name", default="till", help="what uses it, for the list of keys")
    key.set_defaults(action=_till_key)
    keys.add_parser("keys", help="show which keys there are").set_defaults(action=_till_keys)
    revoke = keys.add_parser("revoke", help="take a key back")
    revoke.add_argument("key", type=int, metavar="NUMBER", help="as besnik till keys shows it")
    revoke.set_defaults(action=_till_revoke)

    audit = commands.add_parser("audit", help="the log of who did what")
    log = audit.add_subparsers(title="commands", metavar="COMMAND", required=True)
    verify = log.add_parser("verify", help="tell whether anything in it was changed")
    verify.add_argument(
        "--holds", default="", metavar="HASH", help="the newest hash of an earlier time"
    )
    verify.set_defaults(action=_audit_verify)


def _staff_add(chosen: argparse.Namespace) -> int:
    from besnik.store import office

    return office.add_staff(
        chosen.username,
        role=chosen.role,
        name=chosen.name,
        program=chosen.program,
        one_time=chosen.one_time,
    )


def _staff_list(_: argparse.Namespace) -> int:
    from besnik.store import office

    return office.list_staff()


def _till_key(chosen: argparse.Namespace) -> int:
    from besnik.store import till_keys

    return till_keys.make_key(chosen.till, chosen.name)


def _till_keys(_: argparse.Namespace) -> int:
    from besnik.store import till_keys

    return till_keys.list_keys()


def _till_revoke(chosen: argparse.Namespace) -> int:
    from besnik.store import till_keys

    return till_keys.revoke_key(chosen.key)


def _audit_verify(chosen: argparse.Namespace) -> int:
    from besnik.store import office

    return office.verify_audit(chosen.holds)
