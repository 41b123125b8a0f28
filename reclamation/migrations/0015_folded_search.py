"""Finding candidates without regard to accents (PostgreSQL only), and by the vendor's id."""

from django.db import migrations, models

INDEX = """
CREATE INDEX "candidate_search" ON "reclamation_removalcandidate"
USING gin (samsaas_fold(chr(10) || "display_name" || chr(10) || "email" || chr(10) || "profile_name") gin_trgm_ops)
"""


def create(apps, schema_editor):
    if schema_editor.connection.vendor == "postgresql":
        schema_editor.execute(INDEX, params=None)


def drop(apps, schema_editor):
    if schema_editor.connection.vendor == "postgresql":
        schema_editor.execute('DROP INDEX "candidate_search"')


class Migration(migrations.Migration):
    dependencies = [
        ("samsaas", "0012_folded_search"),
        ("reclamation", "0014_open_candidates_by_reason"),
    ]

    operations = [
        migrations.AddIndex(
            model_name="removalcandidate",
            index=models.Index(fields=["external_id"], name="candidate_by_vendor_id"),
        ),
        migrations.RunPython(create, drop),
    ]
