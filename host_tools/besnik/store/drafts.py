"""The program that an owner is editing: kept until it is published or thrown away."""

from __future__ import annotations

import datetime as dt

import msgspec
from django.db import transaction

from besnik.loyalty.lint import refuse
from besnik.loyalty.program import Program, decode, encode
from besnik.loyalty.rules import Rule, RuleError, RuleSet
from besnik.store import programs
from besnik.store.models import (
    ProgramDraft,
    ProgramVersion,
    Reservation,
    RewardStock,
    Staff,
)


class Draft(msgspec.Struct, frozen=True):
    """What an owner sees: the program as edited, the version it began from (0: none), and
    whether anything was edited at all.
    """

    program: Program
    after: int
    edited: bool


def newest(program: int) -> int:
    """Return the number of the program's newest version, 0 if nothing was published."""
    versions = ProgramVersion.objects.filter(program=program).order_by("-version")
    return versions.values_list("version", flat=True).first() or 0


def open_draft(program: int) -> Draft:
    """Return the draft of a program; what is in force if nobody is editing it."""
    row = ProgramDraft.objects.filter(pk=program).first()
    if row is None:
        return Draft(programs.current(program), newest(program), False)
    return Draft(decode(row.document), row.after, True)


def save(program: Program, staff: Staff | None, at: dt.datetime) -> None:
    """Keep ``program`` as the draft; the version it began from stays."""
    changes = {
        "document": encode(program).decode(),
        "changed_at": at,
        "changed_by": staff,
    }
    ProgramDraft.objects.update_or_create(
        program_id=program.id,
        defaults=changes,
        create_defaults={**changes, "after": newest(program.id)},
    )


def discard(program: int) -> None:
    """Throw the draft away."""
    ProgramDraft.objects.filter(pk=program).delete()


def publish(program: int, at: dt.datetime, staff: Staff | None) -> ProgramVersion:
    """Publish the draft, bring the stock of its rewards up to date, and end the draft.

    RuleError if nobody could understand the program, or its new rules would change what sales
    have earned already; `besnik.store.programs.PublishError` if another version came in between.
    """
    with transaction.atomic():
        found = open_draft(program)
        refuse(found.program)
        before = programs.current(program)
        if late_days(found.program, before, at):
            raise RuleError("the new rules begin before today: choose today or a later day")
        made = programs.publish(found.program, at, staff, after=found.after)
        _restock(found.program, before)
        discard(program)
        return made


def late_days(program: Program, before: Program, at: dt.datetime) -> list[RuleSet]:
    """Return the new rule sets that begin before today though sales were counted by others."""
    known = {rules.version for rules in before.rule_sets}
    today = program.today(at)
    return [
        rules
        for rules in program.rule_sets
        if before.rule_sets and rules.version not in known and rules.first_day < today
    ]


def coming_rules(program: Program, before: Program, at: dt.datetime) -> RuleSet:
    """Return the rules that an edit changes: the draft's own, or a copy that begins tomorrow.

    What was published is never changed: sales that come late are counted by it. The first rules
    of a program begin today.
    """
    known = {rules.version for rules in before.rule_sets}
    today = program.today(at)
    if not program.rule_sets:
        return RuleSet(version=1, first_day=today)
    last = program.rule_sets[-1]
    if last.version not in known:
        return last
    return msgspec.structs.replace(
        last, version=last.version + 1, first_day=today + dt.timedelta(days=1), last_day=None
    )


def with_rules(program: Program, rules: RuleSet) -> Program:
    """Return the program with ``rules`` in the place of those of their version, or after all."""
    others = tuple(other for other in program.rule_sets if other.version != rules.version)
    return msgspec.structs.replace(program, rule_sets=(*others, rules))


def with_rule(rules: RuleSet, rule: Rule) -> RuleSet:
    """Return the rules with ``rule`` in the place of the one of its id, or after all."""
    if any(other.id == rule.id for other in rules.rules):
        changed = tuple(rule if other.id == rule.id else other for other in rules.rules)
    else:
        changed = (*rules.rules, rule)
    return msgspec.structs.replace(rules, rules=changed)


def without_rule(rules: RuleSet, id: str) -> RuleSet:
    """Return the rules without the one of that id."""
    kept = tuple(rule for rule in rules.rules if rule.id != id)
    return msgspec.structs.replace(rules, rules=kept)


def from_template(made: Program, before: Program, at: dt.datetime) -> Program:
    """Return the program ``made`` from a template as the next state of ``before``.

    The rules that held stay for the sales of their days. The limits stay, and so does the expiry
    of a unit that the template says nothing about.
    """
    rules = coming_rules(before, before, at)
    if made.rule_sets:
        new = msgspec.structs.replace(
            made.rule_sets[-1], version=rules.version, first_day=rules.first_day
        )
        sets = (*before.rule_sets, new)
    elif before.rule_sets:
        sets = (*before.rule_sets, msgspec.structs.replace(rules, rules=()))
    else:
        sets = ()
    return msgspec.structs.replace(
        made,
        rule_sets=sets,
        expiry={**before.expiry, **made.expiry},
        pending_days=before.pending_days,
        velocity=before.velocity,
        goodwill=before.goodwill,
        offline_burn_limit=before.offline_burn_limit,
        sunset=before.sunset,
    )


def _restock(program: Program, before: Program) -> None:
    """Count the pieces of rewards whose stock is new or was changed; the others go on."""
    known = {reward.id: reward.stock for reward in before.rewards}
    for reward in program.rewards:
        if reward.id in known and known[reward.id] == reward.stock:
            continue
        if reward.stock is None:
            unlimited = RewardStock.objects.filter(program=program.id, reward=reward.id)
            Reservation.objects.filter(stock__in=unlimited).delete()
            unlimited.delete()
        else:
            RewardStock.objects.update_or_create(
                program_id=program.id, reward=reward.id, defaults={"left": reward.stock}
            )


def follow(program: Program, after: int, version: int) -> None:
    """Let a draft that began from ``after`` go on from ``version``, which only ended the program
    or took its end back.
    """
    with transaction.atomic():
        row = ProgramDraft.objects.filter(pk=program.id, after=after).first()
        if row is not None:
            draft = msgspec.structs.replace(decode(row.document), sunset=program.sunset)
            row.document, row.after = encode(draft).decode(), version
            row.save(update_fields=["document", "after"])
