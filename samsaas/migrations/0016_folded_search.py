"""Searches without regard to accents: the function that folds texts, and the audit trail's index over it; PostgreSQL only."""

from django.db import migrations

from samsaas.lib.fold import FUNCTION
from samsaas.lib.search import index_of

COLUMNS = ("object_name", "verb", "actor_name")


def create(apps, schema_editor):
    if schema_editor.connection.vendor != "postgresql":
        return
    schema_editor.execute(FUNCTION, params=None)
    schema_editor.execute('DROP INDEX "audit_search"')
    schema_editor.execute(index_of("samsaas_auditentry", "audit_search", COLUMNS), params=None)


def drop(apps, schema_editor):
    """Back to the index of before. The function stays, because indexes of other apps may still use it."""
    if schema_editor.connection.vendor != "postgresql":
        return
    schema_editor.execute('DROP INDEX "audit_search"')
    together = " || chr(10) || ".join(f'"{column}"' for column in COLUMNS)
    text = f"UPPER((chr(10) || {together})::text)"
    schema_editor.execute(f'CREATE INDEX "audit_search" ON "samsaas_auditentry" USING gin (({text}) gin_trgm_ops)')


class Migration(migrations.Migration):
    dependencies = [
        ("samsaas", "0015_accounts"),
    ]

    operations = [
        migrations.RunPython(create, drop),
    ]
