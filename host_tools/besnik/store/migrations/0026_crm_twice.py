"""Which cards are meant where several customers of a CRM have one."""

from typing import ClassVar

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies: ClassVar = [("store", "0025_card_by_crm")]

    operations: ClassVar = [
        migrations.AddField("crmdifference", "cards", models.JSONField(default=list)),
    ]
