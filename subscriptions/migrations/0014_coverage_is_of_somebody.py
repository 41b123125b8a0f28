import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("profiles", "0015_since_when_of_a_team"),
        ("subscriptions", "0013_coverage_of_a_team_and_a_seat"),
    ]

    operations = [
        migrations.AlterField(
            model_name="subscription",
            name="known_since",
            field=models.DateTimeField(
                help_text="Since when it is known without interruption as a seat of the team that its profile is "
                "connected to."
            ),
        ),
        migrations.AlterField(
            model_name="activitycoverage",
            name="known_by",
            field=models.DateTimeField(
                help_text="Seats that were known by then had all of this time read for them."
            ),
        ),
        migrations.RemoveConstraint(model_name="activitycoverage", name="coverage_one_per_start"),
        migrations.AddConstraint(
            model_name="activitycoverage",
            constraint=models.UniqueConstraint(
                fields=("profile", "team_id", "since"), name="coverage_one_per_start"
            ),
        ),
        migrations.CreateModel(
            name="ReadDay",
            fields=[
                (
                    "pk",
                    models.CompositePrimaryKey(
                        "profile_id", "team_id", "day", blank=True, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("team_id", models.CharField(max_length=255)),
                ("day", models.DateField()),
                ("events", models.PositiveIntegerField()),
                (
                    "profile",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="read_days",
                        to="profiles.integrationprofile",
                    ),
                ),
            ],
        ),
    ]
