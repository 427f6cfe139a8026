"""The commands on releases of the firmware: make, serve, roll out."""

from __future__ import annotations

import argparse
from pathlib import Path


def add(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the commands of this file to those of ``besnik fleet``."""
    _add_release(commands)
    serve = commands.add_parser(
        "serve", help="tell readers to update and give them the files, until it is stopped"
    )
    serve.set_defaults(action=_serve)
    _add_update(commands)
    rollouts = commands.add_parser("rollouts", help="show how far the newest updates are")
    what = rollouts.add_mutually_exclusive_group()
    what.add_argument("--stop", action="store_true", help="tell no more readers of the newest")
    what.add_argument("--widen", choices=["shop", "all"], default="", help="let it go on to these")
    rollouts.set_defaults(action=_rollouts)


def _add_release(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    release = commands.add_parser(
        "release",
        help="make a signed release of the application here, or the key that signs, or check one",
        epilog="The key's passphrase is asked for, or taken from BESNIK_RELEASE_PASSPHRASE.",
    )
    what = release.add_mutually_exclusive_group(required=True)
    what.add_argument("--new-key", type=Path, metavar="FILE", help="make a key that signs")
    what.add_argument("--key", type=Path, metavar="FILE", help="make a release, signed with it")
    what.add_argument("--check", type=Path, metavar="FOLDER", help="check a release as readers do")
    release.add_argument("--number", type=int, help="above all before it (default: the next one)")
    release.add_argument("--version", default="", help="for people (default: as the source says)")
    release.add_argument("--to", type=Path, metavar="FOLDER", help="default: the shop's releases")
    release.add_argument("--public", type=Path, metavar="FILE", help="with --check: by which key")
    release.set_defaults(action=_release)


def _add_update(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    update = commands.add_parser(
        "update",
        help="roll a release out: to one reader, then its shop, then all; stops by itself if a "
        "reader goes back to its old one",
    )
    who = update.add_mutually_exclusive_group(required=True)
    who.add_argument("reader", nargs="?", default="", metavar="READER", help="this one alone")
    who.add_argument("--shop", default="", metavar="ID", help="the readers of this shop")
    who.add_argument("--all", action="store_true", help="every reader of the program")
    update.add_argument("--first", default="", metavar="READER", help="the one to try it on")
    update.add_argument("--release", type=int, metavar="N", help="its number (default: the newest)")
    update.add_argument(
        "--pause", type=int, default=10, metavar="MINUTES", help="between stages (%(default)s)"
    )
    update.set_defaults(action=_update)


def _release(chosen: argparse.Namespace) -> int:
    from besnik.fleet import release_command as release

    if chosen.new_key:
        return release.new_key(chosen.new_key)
    if chosen.check:
        return release.check(chosen.check, chosen.public)
    return release.make(chosen.key, chosen.to, number=chosen.number, version=chosen.version)


def _serve(_: argparse.Namespace) -> int:
    from besnik.fleet.serve import main as serve

    return serve()


def _update(chosen: argparse.Namespace) -> int:
    from besnik.fleet import update_command

    wish = update_command.Wish(
        reader=chosen.reader,
        shop=chosen.shop,
        first=chosen.first,
        release=chosen.release,
        pause_min=max(0, chosen.pause),
    )
    return update_command.update(wish)


def _rollouts(chosen: argparse.Namespace) -> int:
    from besnik.fleet import update_command

    return update_command.rollouts(stop=chosen.stop, widen=chosen.widen)
