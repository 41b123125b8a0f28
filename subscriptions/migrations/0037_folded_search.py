"""Indexes for finding seats and people without regard to accents, in the place of those of 0008; PostgreSQL only."""

from django.db import migrations

INDEXES = {
    "subscription_search": ("subscriptions_subscription", ("display_name", "email", "employee_id")),
    "person_search": ("subscriptions_person", ("name", "key", "department")),
    "address_search": ("subscriptions_personaddress", ("address",)),
}


def create(apps, schema_editor):
    if schema_editor.connection.vendor != "postgresql":
        return
    for name, (table, columns) in INDEXES.items():
        schema_editor.execute(f'DROP INDEX "{name}"')
        together = " || chr(10) || ".join(f'"{column}"' for column in columns)
        text = f"samsaas_fold(chr(10) || {together})"
        schema_editor.execute(f'CREATE INDEX "{name}" ON "{table}" USING gin ({text} gin_trgm_ops)', params=None)


def drop(apps, schema_editor):
    """Back to the indexes of before."""
    if schema_editor.connection.vendor != "postgresql":
        return
    for name, (table, columns) in INDEXES.items():
        schema_editor.execute(f'DROP INDEX "{name}"')
        together = " || chr(10) || ".join(f'"{column}"' for column in columns)
        text = f"UPPER((chr(10) || {together})::text)"
        schema_editor.execute(f'CREATE INDEX "{name}" ON "{table}" USING gin (({text}) gin_trgm_ops)')


class Migration(migrations.Migration):
    dependencies = [
        ("samsaas", "0012_folded_search"),
        ("subscriptions", "0036_preferred_currency"),
    ]

    operations = [
        migrations.RunPython(create, drop),
    ]
