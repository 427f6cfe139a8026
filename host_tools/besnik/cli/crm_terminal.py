"""A foreign CRM at the machine's terminal: connected, tested, imported, switched, looked at."""

from __future__ import annotations

import asyncio
import getpass
import sys
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from besnik.cli import crm_said
from besnik.store.terminal import CannotError, run

if TYPE_CHECKING:
    from besnik.crm.foreign import Setting
    from besnik.store.models import CrmSource, Program


def connect(program: str, adapter: str, given: Sequence[str], card: str) -> int:
    """Ask for what a CRM needs, test it, and keep it; return the exit status."""
    return run("besnik crm", lambda: _connect(program, adapter, given, card))


def test(program: str, card: str) -> int:
    """Test the CRM that is connected; return the exit status, 1 if it does not work."""
    return run("besnik crm", lambda: _test(program, card))


def take_over(program: str, *, dry: bool, anew: bool) -> int:
    """Import the customers, or count them; return the exit status, 1 if it broke off."""
    return run("besnik crm", lambda: _take_over(program, dry=dry, anew=anew))


def readmit(program: str, number: str) -> int:
    """Make somebody a member again who was erased here; return the exit status, 1 if not."""
    return run("besnik crm", lambda: _readmit(program, number))


def switch(program: str, *, on: bool) -> int:
    """Switch the CRM on or off; return the exit status."""
    return run("besnik crm", lambda: _switch(program, on=on))


def refuse_waiting(program: str) -> int:
    """Wait for a CRM that is off no more; return the exit status."""
    return run("besnik crm", lambda: _refuse_waiting(program))


def moved(program: str, *, same: bool) -> int:
    """Say whose the CRM's customers are after it was given an address; return the exit status."""
    return run("besnik crm", lambda: _moved(program, same=same))


def status(program: str) -> int:
    """Say how each CRM does; return the exit status, 1 if one of them cannot be used now."""
    return run("besnik crm", lambda: crm_said.status(program))


def _connect(program: str, adapter: str, given: Sequence[str], card: str) -> int:
    from besnik.crm import choosing, find, moving
    from besnik.crm.foreign import CrmSettingsError

    if not adapter:
        print("crm: name one of " + ", ".join(sorted(find.adapters())), file=sys.stderr)
        return 2
    whose = _program(program)
    try:
        asks = find.adapter(adapter).asks_for()
        filled = _filled(whose.pk, adapter, asks, _pairs(given))
        chosen = choosing.choice(whose.pk, adapter, filled)
        found = asyncio.run(choosing.tried(chosen, _number(card)))
        source = choosing.of(whose.pk)
        if found.trouble is None or source is None or not source.is_on:
            choosing.keep(whose.pk, chosen, found.offered)
            _note(whose, "crm.connect", f"crm:{adapter}", works=found.trouble is None)
    except CrmSettingsError as error:
        raise CannotError(str(error)) from error
    crm_said.unproved(adapter)
    is_fine = crm_said.trial(found)
    crm_said.misnamed(asks, chosen.settings, found)
    if (kept := choosing.of(whose.pk)) is not None and moving.has_moved(kept):
        print(f"crm: {moving.SAY_FIRST}", file=sys.stderr)
    if is_fine:
        print(f"crm: {adapter} is kept; besnik crm import --dry-run counts, besnik crm on uses it")
    return 0 if is_fine else 1


def _test(program: str, card: str) -> int:
    from besnik.crm import choosing, find
    from besnik.crm.foreign import CrmError
    from besnik.crm.trial import Trial, trouble_of, try_out

    source = _source(program)
    try:
        found = asyncio.run(try_out(find.open_source(source), _number(card)))
    except CrmError as error:
        found = Trial(trouble_of(error))
    choosing.keep_offered(source, found.offered)
    is_fine = crm_said.trial(found)
    crm_said.misnamed(find.adapter(source.adapter).asks_for(), source.settings, found)
    return 0 if is_fine else 1


def _take_over(program: str, *, dry: bool, anew: bool) -> int:
    from besnik.crm import imports

    source = _source(program)
    try:
        begun = imports.begin(source, None, dry=dry, anew=anew)
    except imports.BusyError as error:
        raise CannotError(str(error)) from error
    if begun.seen:
        print(f"crm: an import that broke off after {begun.seen:,} customers goes on")
    if not dry:
        _note(source.program, "crm.import", f"crm:{source.adapter}", run=begun.pk)
    try:
        done = imports.walk(begun, crm_said.progress())
    except KeyboardInterrupt:
        print("\ncrm: stopped; the same command goes on from here", file=sys.stderr)
        return 130
    print(crm_said.counted(done))
    if done.state != "done":
        print(f"crm: it broke off: {done.why}; the same command goes on", file=sys.stderr)
        if done.after and not dry:
            print(
                "crm: if the CRM does not know any more where it was: besnik crm import --anew "
                "begins with the first customer, and nobody is taken twice",
                file=sys.stderr,
            )
        return 1
    return 0


def _readmit(program: str, number: str) -> int:
    from besnik.crm import readmitting
    from besnik.crm.foreign import CrmError
    from besnik.site.owner import crm_words

    source = _source(program)
    try:
        outcome = readmitting.readmit(source, number)
    except CrmError as error:
        raise CannotError(f"nothing was changed: {error}") from error
    _note(source.program, "crm.take_in", f"crm:{source.adapter}", outcome=outcome)
    print(f"crm: {crm_words.READMITTED[outcome]}")
    return 0 if outcome == "taken" else 1


def _switch(program: str, *, on: bool) -> int:
    from django.utils import timezone

    from besnik.crm import sources

    source = _source(program)
    if on:
        sources.switch_on(source, timezone.now())
    else:
        sources.switch_off(source)
    _note(source.program, "crm.on" if on else "crm.off", f"crm:{source.adapter}")
    print(f"crm: {source.adapter} of {source.program} is {'on' if on else 'off'}")
    if not on and (waiting := crm_said.waiting_taps(source)):
        print(waiting)
    return 0


def _moved(program: str, *, same: bool) -> int:
    from django.utils import timezone

    from besnik.crm import forgetting, moving
    from besnik.crm.foreign import CrmSettingsError

    source = _source(program)
    try:
        if same:
            moving.is_the_same(source)
        else:
            forgetting.forget(source, timezone.now())
    except CrmSettingsError as error:
        raise CannotError(str(error)) from error
    _note(source.program, "crm.same" if same else "crm.forget", f"crm:{source.adapter}")
    if same:
        print("crm: it goes on as before")
    else:
        print("crm: no member is a customer there any more; besnik crm import finds them anew")
    return 0


def _refuse_waiting(program: str) -> int:
    from django.utils import timezone

    from besnik.crm import pending

    source = _source(program)
    if source.is_on:
        raise CannotError("it is on, and is asked whose they are: besnik crm off comes first")
    refused = pending.refuse_waiting(source.program_id, timezone.now())
    _note(source.program, "crm.refuse", f"crm:{source.adapter}", taps=refused)
    print(f"crm: {refused:,} taps were of unknown cards")
    return 0


def _filled(
    program: int, adapter: str, asks: Sequence[Setting], given: Mapping[str, str]
) -> dict[str, str]:
    """Return what was given, and what is typed at the terminal for the rest."""
    from besnik.crm import choosing, picking, secrets

    unknown = given.keys() - {setting.name for setting in asks}
    secret = {setting.name for setting in asks if setting.is_secret}
    if unknown:
        names = ", ".join(sorted({setting.name for setting in asks} - secret))
        raise CannotError(f"{adapter} does not ask for {', '.join(unknown)}; it asks for {names}")
    if given.keys() & secret:
        raise CannotError(
            "a password or key is no argument, which others could read: it is typed, or in the "
            f"environment as {secrets.ENVIRONMENT}{next(iter(given.keys() & secret)).upper()}"
        )
    source = choosing.of(program)
    known = dict(source.settings) if source is not None and source.adapter == adapter else {}
    outside = secrets.read(program) if known else secrets.outside()
    filled = {**known, **given}
    offered = choosing.offered(source) if source is not None and known else []
    for setting in asks:
        if setting.name in given or not sys.stdin.isatty():
            continue
        if there := picking.choices(setting, offered):
            print(f"{setting.label} is one of " + ", ".join(field.name for field in there))
        if setting.is_secret:
            kept = " (empty: as it is)" if setting.name in outside else ""
            filled[setting.name] = getpass.getpass(f"{setting.label}{kept}: ")
        else:
            start = filled.get(setting.name, setting.default)
            filled[setting.name] = input(f"{setting.label} [{start}]: ").strip() or start
    return filled


def _pairs(given: Sequence[str]) -> dict[str, str]:
    pairs: dict[str, str] = {}
    for text in given:
        name, is_pair, value = text.partition("=")
        if not is_pair:
            raise CannotError(f"--set {text}: write NAME=VALUE")
        pairs[name] = value
    return pairs


def _number(card: str) -> str:
    from besnik.crm.matching import card_from

    if not card:
        return ""
    found = card_from(card)
    if found is None:
        raise CannotError(f"--card {card}: a card's number has 8, 14 or 20 of 0-9 and A-F")
    return found.data


def _program(name: str) -> Program:
    from besnik.store.models import Program

    known = list(Program.objects.order_by("pk"))
    named = [program for program in known if program.name == name or (not name and len(known) == 1)]
    if named:
        return named[0]
    if not known:
        raise CannotError("there is no program yet: besnik staff add makes one")
    names = ", ".join(repr(program.name) for program in known)
    raise CannotError(f"say whose, by --program and one of {names}")


def _source(program: str) -> CrmSource:
    from besnik.crm import choosing

    source = choosing.of(_program(program).pk)
    if source is None:
        raise CannotError("no CRM is connected: besnik crm add")
    return source


def _note(program: Program, action: str, target: str, **detail: object) -> None:
    from besnik.store import audit

    audit.record(None, action, target, program=program.pk, **detail)
