"""An index for people of the same name, accents or not, for suggestions; PostgreSQL only."""

from django.db import migrations

INDEX = 'CREATE INDEX "person_by_folded_name" ON "subscriptions_person" (samsaas_fold("compared_name"))'


def create(apps, schema_editor):
    if schema_editor.connection.vendor == "postgresql":
        schema_editor.execute(INDEX, params=None)


def drop(apps, schema_editor):
    if schema_editor.connection.vendor == "postgresql":
        schema_editor.execute('DROP INDEX "person_by_folded_name"')


class Migration(migrations.Migration):
    dependencies = [
        ("samsaas", "0012_folded_search"),
        ("subscriptions", "0039_people_by_cost_center"),
    ]

    operations = [
        migrations.RunPython(create, drop),
    ]
