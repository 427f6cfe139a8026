"""Which cards members have by the word of another CRM alone; of those before nobody knows."""

from typing import ClassVar

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies: ClassVar = [("store", "0024_crm_place")]

    operations: ClassVar = [
        migrations.AddField("card", "by_crm", models.BooleanField(default=False, db_default=False)),
    ]
