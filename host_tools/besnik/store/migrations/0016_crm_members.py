from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("store", "0019_crm_runs"),
    ]

    operations = [
        migrations.AddField(
            model_name="crmsource",
            name="members_to",
            field=models.BigIntegerField(db_default=0, default=0),
        ),
    ]
