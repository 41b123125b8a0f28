"""Counts of failed sign-ins, so that the audit trail needs an entry for some of them only."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("samsaas", "0005_audit_without_foreign_key")]

    operations = [
        migrations.CreateModel(
            name="FailedSignIns",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "account_id",
                    models.IntegerField(
                        help_text="The account's number; 0 for names that no account has.", unique=True
                    ),
                ),
                ("since", models.DateTimeField()),
                ("count", models.PositiveIntegerField(default=0)),
            ],
            options={"verbose_name_plural": "failed sign-ins"},
        ),
    ]
