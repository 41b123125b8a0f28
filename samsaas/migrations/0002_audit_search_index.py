"""An index for searching the audit trail; PostgreSQL only, where it can be large.

`samsaas.lib.search` asks for exactly this expression. pg_trgm is a trusted extension: who owns the database may create it.
"""

from django.db import migrations

COLUMNS = ("object_name", "verb", "actor_name")


def create(apps, schema_editor):
    if schema_editor.connection.vendor != "postgresql":
        return
    schema_editor.execute("CREATE EXTENSION IF NOT EXISTS pg_trgm")
    together = " || chr(10) || ".join(f'"{column}"' for column in COLUMNS)
    text = f"UPPER((chr(10) || {together})::text)"
    schema_editor.execute(f'CREATE INDEX "audit_search" ON "samsaas_auditentry" USING gin (({text}) gin_trgm_ops)')


def drop(apps, schema_editor):
    """The extension stays: others may use it."""
    if schema_editor.connection.vendor == "postgresql":
        schema_editor.execute('DROP INDEX "audit_search"')


class Migration(migrations.Migration):
    dependencies = [
        ("samsaas", "0001_initial"),
    ]

    operations = [
        migrations.RunPython(create, drop),
    ]
