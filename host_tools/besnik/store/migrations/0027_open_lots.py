from __future__ import annotations

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("store", "0026_crm_twice")]

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
                fields=["member", "expires_at"],
                name="lot_open",
            ),
        ),
        migrations.AddIndex(
            model_name="lot",
            index=models.Index(
                condition=models.Q(("main__lt", 0)), fields=["member"], name="lot_owed"
            ),
        ),
        migrations.AddIndex(
            model_name="lot",
            index=models.Index(
                condition=models.Q(("available_at__gt", models.F("opened_at"))),
                fields=["member", "available_at"],
                name="lot_delayed",
            ),
        ),
    ]
