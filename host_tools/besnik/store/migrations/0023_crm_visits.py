"""Visits that moved nothing are told to the CRM: those from now on."""

from typing import ClassVar

from django.apps.registry import Apps
from django.db import migrations, models
from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.models import Max


def _from_now_on(apps: Apps, _: BaseDatabaseSchemaEditor) -> None:
    last = apps.get_model("store", "Tap").objects.aggregate(last=Max("pk"))["last"] or 0
    apps.get_model("store", "CrmSource").objects.update(taps_to=last)


def _none_of_taps(apps: Apps, _: BaseDatabaseSchemaEditor) -> None:
    # Without its column a row of a tap is one of a new member.
    apps.get_model("store", "CrmDelivery").objects.filter(tap__isnull=False).delete()


class Migration(migrations.Migration):
    dependencies: ClassVar = [("store", "0022_crm_left_out")]

    operations: ClassVar = [
        migrations.AddField("crmdelivery", "tap", models.BigIntegerField(null=True)),
        migrations.AddField(
            "crmsource", "taps_to", models.BigIntegerField(db_default=0, default=0)
        ),
        migrations.RunPython(_from_now_on, _none_of_taps),
    ]
