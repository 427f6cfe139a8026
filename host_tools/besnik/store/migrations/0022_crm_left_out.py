"""Customers of a CRM who were erased here, and how many of them a walk left out."""

from typing import ClassVar

from django.db import migrations, models
from django.db.models.deletion import PROTECT


class Migration(migrations.Migration):
    dependencies: ClassVar = [("store", "0021_updates")]

    operations: ClassVar = [
        migrations.AddField(
            "crmrun", "left_out", models.PositiveIntegerField(db_default=0, default=0)
        ),
        migrations.CreateModel(
            name="CrmLeftOut",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("adapter", models.CharField(max_length=40)),
                ("digest", models.CharField(max_length=64)),
                (
                    "program",
                    models.ForeignKey("store.program", PROTECT, db_index=False, related_name="+"),
                ),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(fields=("program", "digest"), name="crm_left_out_once")
                ],
            },
        ),
    ]
