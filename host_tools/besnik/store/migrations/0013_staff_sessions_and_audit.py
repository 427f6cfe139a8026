import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("store", "0012_no_stamps_per_visit")]

    operations = [
        migrations.AddField(
            model_name="auditrecord",
            name="program",
            field=models.ForeignKey(
                db_index=False,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="store.program",
            ),
        ),
        migrations.AddField(
            model_name="staff",
            name="must_change",
            field=models.BooleanField(db_default=False, default=False),
        ),
        migrations.AddField(
            model_name="staff",
            name="pin_failures",
            field=models.PositiveSmallIntegerField(db_default=0, default=0),
        ),
        migrations.AddField(
            model_name="staff",
            name="pin_locked_until",
            field=models.DateTimeField(null=True),
        ),
        migrations.AddField(
            model_name="staff",
            name="session_version",
            field=models.PositiveIntegerField(db_default=0, default=0),
        ),
        migrations.AlterField(
            model_name="auditrecord",
            name="previous",
            field=models.CharField(max_length=64, unique=True),
        ),
        migrations.AddIndex(
            model_name="auditrecord",
            index=models.Index(fields=["program", "id"], name="audit_of_program"),
        ),
    ]
