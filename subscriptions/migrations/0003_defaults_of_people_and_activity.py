"""The rule everybody starts with, and room on PostgreSQL's pages for rows that are rewritten daily."""

from django.db import migrations


def first_rule(apps, schema_editor):
    apps.get_model("subscriptions", "ResolutionRule").objects.get_or_create(
        name="E-mail address of a verified account",
        defaults={"order": 10, "source": "email", "lookup": "address", "transform": "none"},
    )


def leave_room(apps, schema_editor):
    """Half of each page stays free, so that a new latest activity is written beside the old one, without index work."""
    if schema_editor.connection.vendor == "postgresql":
        table = schema_editor.quote_name(apps.get_model("subscriptions", "LastActivity")._meta.db_table)
        schema_editor.execute(f"ALTER TABLE {table} SET (fillfactor = 50)")


class Migration(migrations.Migration):
    dependencies = [("subscriptions", "0002_activity_and_people")]
    operations = [
        migrations.RunPython(first_rule, migrations.RunPython.noop),
        migrations.RunPython(leave_room, migrations.RunPython.noop),
    ]
