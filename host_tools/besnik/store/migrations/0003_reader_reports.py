import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("store", "0002_sun_counters"),
    ]

    operations = [
        migrations.CreateModel(
            name="ReaderHealth",
            fields=[
                (
                    "reader",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE,
                        primary_key=True,
                        related_name="health",
                        serialize=False,
                        to="store.reader",
                    ),
                ),
                ("at", models.DateTimeField()),
                ("up_s", models.BigIntegerField()),
                ("rssi_dbm", models.SmallIntegerField(null=True)),
                ("heap_free", models.BigIntegerField()),
                ("outbox", models.BigIntegerField()),
                ("outbox_since", models.DateTimeField(null=True)),
                ("outbox_dropped", models.BigIntegerField()),
                ("reconnects", models.BigIntegerField()),
                ("rc522_recoveries", models.BigIntegerField()),
                ("verdict_ms", models.BigIntegerField(null=True)),
            ],
        ),
        migrations.CreateModel(
            name="ReaderInfo",
            fields=[
                (
                    "reader",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE,
                        primary_key=True,
                        related_name="info",
                        serialize=False,
                        to="store.reader",
                    ),
                ),
                ("firmware", models.CharField(max_length=32)),
                ("umqtt", models.CharField(max_length=32)),
                ("micropython", models.CharField(max_length=32)),
                ("reset_cause", models.BigIntegerField()),
                ("boot", models.BigIntegerField()),
                ("config_version", models.BigIntegerField()),
                ("since", models.DateTimeField()),
            ],
        ),
        migrations.CreateModel(
            name="ReaderState",
            fields=[
                (
                    "reader",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE,
                        primary_key=True,
                        related_name="state",
                        serialize=False,
                        to="store.reader",
                    ),
                ),
                ("state", models.CharField(max_length=8)),
                ("boot", models.BigIntegerField()),
                ("since", models.DateTimeField()),
            ],
        ),
    ]
