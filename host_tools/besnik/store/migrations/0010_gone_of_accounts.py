from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("store", "0010_words_of_names"),
    ]

    operations = [
        migrations.AddField(
            model_name="account",
            name="spent",
            field=models.BigIntegerField(db_default=0, default=0),
        ),
        migrations.AddField(
            model_name="account",
            name="expired",
            field=models.BigIntegerField(db_default=0, default=0),
        ),
    ]
