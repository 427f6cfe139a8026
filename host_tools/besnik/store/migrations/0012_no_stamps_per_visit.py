"""What a visit gives is in the versions of its program."""

from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("store", "0011_visits_by_version")]

    operations = [migrations.RemoveField(model_name="program", name="stamps_per_visit")]
