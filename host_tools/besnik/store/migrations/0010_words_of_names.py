"""The words of names and the ends of card numbers, by which members are found."""

import django.db.models.deletion
import django.db.models.functions.text
from django.db import migrations, models


def remember_names(apps, _schema_editor):
    """Make a person with a folded name of every member who had only a name."""
    from besnik.store.people.folding import fold, words

    persons = apps.get_model("store", "Person").objects
    name_words = apps.get_model("store", "NameWord")
    nameless = (
        apps.get_model("store", "Member").objects.filter(person__isnull=True).exclude(name="")
    )
    for member in nameless.iterator(chunk_size=1000):
        folded = fold(member.name)[:240].rstrip()
        person = persons.create(member=member, program_id=member.program_id, folded_name=folded)
        name_words.objects.bulk_create(
            name_words(person=person, program_id=member.program_id, word=word)
            for word in words(folded)
        )


class Migration(migrations.Migration):
    dependencies = [
        ("store", "0009_at_the_till"),
    ]

    operations = [
        migrations.CreateModel(
            name="NameWord",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("word", models.CharField(max_length=120)),
                (
                    "person",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="words",
                        to="store.person",
                    ),
                ),
                (
                    "program",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="store.program",
                    ),
                ),
            ],
        ),
        migrations.AlterField(
            model_name="card",
            name="state",
            field=models.CharField(
                choices=[
                    ("active", "active"),
                    ("blocked", "blocked"),
                    ("replaced", "replaced"),
                    ("erased", "erased"),
                ],
                default="active",
                max_length=8,
            ),
        ),
        migrations.AddField(
            model_name="card",
            name="tail",
            field=models.GeneratedField(
                db_persist=True,
                expression=django.db.models.functions.text.Right("data", 4),
                output_field=models.CharField(max_length=4),
            ),
        ),
        migrations.AddIndex(
            model_name="card",
            index=models.Index(fields=["program", "tail"], name="card_by_tail"),
        ),
        migrations.AddIndex(
            model_name="nameword",
            index=models.Index(
                fields=["program", "word"],
                name="word_in_program",
                opclasses=["int8_ops", "varchar_pattern_ops"],
            ),
        ),
        migrations.RunPython(remember_names, migrations.RunPython.noop, elidable=True),
    ]
