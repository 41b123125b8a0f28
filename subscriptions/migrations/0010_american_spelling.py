"""One spelling, as in the seed: columns and stored words are renamed, nothing else changes."""

from django.db import migrations, models

DOWNLOAD = "download_subscriptions"
ACTIVE = ("waiting", "queued", "running")


def spell_imports(apps, schema_editor):
    """What was read of uploaded files, and is not applied yet, names its columns in JSON."""
    _rename(apps, "cost_centre", "cost_center")


def spell_imports_back(apps, schema_editor):
    _rename(apps, "cost_center", "cost_centre")


def _rename(apps, before, now):
    """Files without the column, which are nearly all, cost one look at their counters."""
    named = []
    for upload in apps.get_model("subscriptions", "PersonImport").objects.filter(counters__has_key="columns"):
        columns = upload.counters["columns"]
        if before in columns:
            upload.counters["columns"] = [now if column == before else column for column in columns]
            upload.save(update_fields=["counters"])
            named.append(upload.pk)
    rows = apps.get_model("subscriptions", "PersonImportRow").objects
    spelled = []
    for row in rows.filter(upload__in=named).iterator(chunk_size=2000):
        row.values = {
            name: {now if column == before else column: cell for column, cell in part.items()}
            if isinstance(part, dict)
            else part
            for name, part in row.values.items()
        }
        spelled.append(row)
        if len(spelled) == 500:
            rows.bulk_update(spelled, ["values"])
            spelled = []
    rows.bulk_update(spelled, ["values"])


def download_anew(apps, schema_editor):
    """A download under way has a table whose column has the old name: it begins at the first page again."""
    runs = apps.get_model("profiles", "JobRun").objects
    runs.filter(process=DOWNLOAD, state__in=ACTIVE).update(cursor="", cursor_at=None, pages=0, items=0)


class Migration(migrations.Migration):
    dependencies = [
        ("subscriptions", "0009_filter_indexes_of_people"),
        ("profiles", "0010_american_spelling"),
    ]

    operations = [
        migrations.RemoveIndex("subscription", "subscription_current"),
        migrations.RenameField("subscription", "consumes_licence", "consumes_license"),
        migrations.AddIndex("subscription", models.Index(condition=models.Q(('ended_at', None), ('excluded', False)), fields=['profile', 'status', 'consumes_license'], name='subscription_current')),
        migrations.RenameField("person", "cost_centre", "cost_center"),
        migrations.RunPython(spell_imports, spell_imports_back),
        migrations.RunPython(download_anew, download_anew),
    ]
