"""What visits gave becomes the first version of each program, and what members have a lot."""

import json

from django.db import migrations
from django.utils import timezone

# The day before which nobody can have been to a shop of ours.
_FIRST_DAY = "2020-01-01"

# A lot for each balance, opened by the first entry that moved it.
_LOTS = """
    INSERT INTO store_lot (member_id, unit, entry_id, amount, main, held, spent, expired,
                           opened_at, available_at, expires_at)
    SELECT account.member_id, account.unit, entry.id, account.balance, account.balance, 0, 0, 0,
           entry.created_at, entry.created_at, NULL
    FROM store_account account
    JOIN (
        SELECT account_id, min(entry_id) AS entry_id FROM store_posting GROUP BY account_id
    ) moved ON moved.account_id = account.id
    JOIN store_entry entry ON entry.id = moved.entry_id
    WHERE account.member_id IS NOT NULL AND account.account = 'main' AND account.balance <> 0
    AND NOT EXISTS (
        SELECT 1 FROM store_lot lot
        WHERE lot.member_id = account.member_id AND lot.unit = account.unit
    )"""
_OCCURRED = "UPDATE store_entry SET occurred_at = created_at WHERE occurred_at IS NULL"


def publish_first_versions(apps, _schema_editor):
    version = apps.get_model("store", "ProgramVersion")
    for program in apps.get_model("store", "Program").objects.filter(versions__isnull=True):
        if program.stamps_per_visit == 0:
            continue
        visit = {
            "type": "per_visit",
            "id": "visit",
            "unit": "stamp",
            "give": program.stamps_per_visit,
        }
        document = {
            "id": program.pk,
            "name": program.name,
            "currency": {"code": "EUR", "exponent": 2},
            "zone": timezone.get_default_timezone_name(),
            "rule_sets": [{"version": 1, "first_day": _FIRST_DAY, "rules": [visit]}],
        }
        version.objects.create(
            program=program,
            version=1,
            document=json.dumps(document, ensure_ascii=False),
            published_at=timezone.now(),
        )


class Migration(migrations.Migration):
    dependencies = [("store", "0010_gone_of_accounts")]

    operations = [
        migrations.RunPython(publish_first_versions, migrations.RunPython.noop),
        migrations.RunSQL(_OCCURRED, migrations.RunSQL.noop),
        migrations.RunSQL(_LOTS, migrations.RunSQL.noop),
    ]
