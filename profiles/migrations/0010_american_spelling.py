"""One spelling, as in the seed: columns and stored words are renamed, nothing else changes."""

from django.db import migrations, models

# model, field, the word before and now
WORDS = (
    ("IntegrationProfile", "attention", "needs_authorisation", "needs_authorization"),
    ("Credential", "state", "needs_authorisation", "needs_authorization"),
    ("JobRun", "state", "cancelled", "canceled"),
)


def spell(apps, schema_editor):
    for model, field, before, now in WORDS:
        apps.get_model("profiles", model).objects.filter(**{field: before}).update(**{field: now})


def spell_back(apps, schema_editor):
    for model, field, before, now in WORDS:
        apps.get_model("profiles", model).objects.filter(**{field: now}).update(**{field: before})


class Migration(migrations.Migration):
    dependencies = [("profiles", "0009_edit_guards_and_refused_scopes")]

    operations = [
        migrations.RenameField("integrationprofile", "licences_reported", "licenses_reported"),
        migrations.AlterField("credential", "state", models.CharField(choices=[('new', 'No token yet'), ('connected', 'Connected'), ('needs_authorization', 'Needs authorization')], default='new', max_length=20)),
        migrations.AlterField("integrationprofile", "attention", models.CharField(blank=True, choices=[('', 'None'), ('needs_authorization', 'Needs authorization'), ('refresh_failed', 'Last refresh failed'), ('refresh_held', 'Refresh waits for confirmation')], default='', max_length=30)),
        migrations.AlterField("jobrun", "state", models.CharField(choices=[('waiting', 'Waits its turn'), ('queued', 'Queued'), ('running', 'Running'), ('succeeded', 'Succeeded'), ('held', 'Waits for confirmation'), ('failed', 'Failed'), ('canceled', 'Canceled')], default='queued', max_length=20)),
        migrations.RunPython(spell, spell_back),
    ]
