"""What a sale still counts for, what a reward did to a receipt, and who gave what away."""

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("store", "0008_drafts_and_imports"),
    ]

    operations = [
        migrations.AddField(
            model_name="sale",
            name="counting_minor",
            field=models.BigIntegerField(db_default=0, default=0),
        ),
        migrations.AlterField(
            model_name="saleline",
            name="line",
            field=models.CharField(max_length=48),
        ),
        migrations.AddField(
            model_name="hold",
            name="off_minor",
            field=models.BigIntegerField(db_default=0, default=0),
        ),
        migrations.AddField(
            model_name="hold",
            name="line",
            field=models.CharField(blank=True, db_default="", default="", max_length=48),
        ),
        migrations.AddField(
            model_name="coupon",
            name="entry",
            field=models.OneToOneField(
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="coupon",
                to="store.entry",
            ),
        ),
        migrations.AddField(
            model_name="redemption",
            name="coupon",
            field=models.ForeignKey(
                db_index=False,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="redemptions",
                to="store.coupon",
            ),
        ),
        migrations.AddField(
            model_name="redemption",
            name="line",
            field=models.CharField(blank=True, db_default="", default="", max_length=48),
        ),
        migrations.AddField(
            model_name="redemption",
            name="returned_at",
            field=models.DateTimeField(null=True),
        ),
        migrations.AddIndex(
            model_name="entry",
            index=models.Index(
                condition=models.Q(("staff__isnull", False)),
                fields=["staff", "kind", "occurred_at"],
                name="entry_by_staff",
            ),
        ),
    ]
