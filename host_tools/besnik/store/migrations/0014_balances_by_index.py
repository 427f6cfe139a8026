from __future__ import annotations

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("store", "0013_staff_sessions_and_audit")]

    operations = [
        migrations.RemoveIndex(model_name="lot", name="lot_open"),
        migrations.AddIndex(
            model_name="lot",
            index=models.Index(
                condition=models.Q(
                    models.Q(("main", 0), _negated=True),
                    models.Q(("held", 0), _negated=True),
                    _connector="OR",
                ),
                fields=["member", "unit", "main", "held", "available_at", "expires_at"],
                name="lot_open",
            ),
        ),
    ]
