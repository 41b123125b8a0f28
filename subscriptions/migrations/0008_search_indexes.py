"""Indexes for finding seats and people by a part of their text; PostgreSQL only, where a list can be large.

`samsaas.lib.search` asks for exactly these expressions. pg_trgm is a trusted extension: who owns the database may
create it.
"""

from django.db import migrations

INDEXES = {
    "subscription_search": ("subscriptions_subscription", ("display_name", "email", "employee_id")),
    "person_search": ("subscriptions_person", ("name", "key", "department")),
    "address_search": ("subscriptions_personaddress", ("address",)),
}


def create(apps, schema_editor):
    if schema_editor.connection.vendor != "postgresql":
        return
    schema_editor.execute("CREATE EXTENSION IF NOT EXISTS pg_trgm")
    for name, (table, columns) in INDEXES.items():
        together = " || chr(10) || ".join(f'"{column}"' for column in columns)
        text = f"UPPER((chr(10) || {together})::text)"
        schema_editor.execute(f'CREATE INDEX "{name}" ON "{table}" USING gin (({text}) gin_trgm_ops)')


def drop(apps, schema_editor):
    """The extension stays: others may use it."""
    if schema_editor.connection.vendor == "postgresql":
        for name in INDEXES:
            schema_editor.execute(f'DROP INDEX "{name}"')


class Migration(migrations.Migration):
    dependencies = [
        ("subscriptions", "0007_people_who_are_back_and_unknown_managers"),
    ]

    operations = [
        migrations.RunPython(create, drop),
    ]
