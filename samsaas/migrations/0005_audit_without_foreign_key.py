"""The actor of an audit entry becomes a plain number: deleting an account changes no entry.

The column stays the same, with the same values. Triggers that make the table append-only are created after migrating
(`samsaas.audit.protect_entries`), because SQLite drops them whenever a table is made anew.
"""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("samsaas", "0004_guess_counts")]

    operations = [
        migrations.AlterField("auditentry", "actor", models.IntegerField(db_column="actor_id", null=True)),
        migrations.RenameField("auditentry", "actor", "actor_id"),
        migrations.AlterField(
            "auditentry",
            "actor_id",
            models.IntegerField(null=True, help_text="The account's number; it stays when the account is deleted."),
        ),
    ]
