"""Where the customers of a CRM are, and whether they are others than before."""

from typing import ClassVar

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies: ClassVar = [("store", "0023_crm_visits")]

    operations: ClassVar = [
        migrations.AddField("crmsource", "place", models.JSONField(default=dict)),
        migrations.AddField("crmsource", "numbering", models.JSONField(default=dict)),
    ]
