"""Coverage belongs to a team, and vouches for the seats that were known when the log was read.

Nobody wrote down when a seat became known to an earlier pull. The seats of a profile's first download were known to all
of its pulls, so coverage keeps vouching for them. The next pull reads the log again for those that came later.
"""

from datetime import UTC, datetime

from django.db import migrations, models
from django.db.models import F, Min

NEVER = datetime(1970, 1, 1, tzinfo=UTC)


def fill(apps, schema_editor):
    seats = apps.get_model("subscriptions", "Subscription").objects.order_by()
    seats.update(known_since=F("first_seen_at"))
    first = dict(seats.values_list("profile").annotate(Min("first_seen_at")))
    for interval in apps.get_model("subscriptions", "ActivityCoverage").objects.select_related("profile"):
        interval.team_id = interval.profile.team_id
        interval.known_by = first.get(interval.profile_id, NEVER)
        interval.save()


class Migration(migrations.Migration):
    dependencies = [
        ("profiles", "0015_since_when_of_a_team"),
        ("subscriptions", "0012_accepted_listings"),
    ]

    operations = [
        migrations.AddField(
            model_name="activityday",
            name="earlier",
            field=models.PositiveIntegerField(db_default=0, default=0),
        ),
        migrations.AddField(
            model_name="subscription",
            name="read_from",
            field=models.DateTimeField(
                blank=True,
                help_text="From when the log was read for it, if it became known after that. Empty: not at all.",
                null=True,
            ),
        ),
        migrations.AddField(
            model_name="subscription",
            name="known_since",
            field=models.DateTimeField(null=True),
        ),
        migrations.AddField(
            model_name="activitycoverage",
            name="team_id",
            field=models.CharField(
                default="", help_text="The vendor's id of the team whose log was read.", max_length=255
            ),
            preserve_default=False,
        ),
        migrations.AddField(
            model_name="activitycoverage",
            name="known_by",
            field=models.DateTimeField(null=True),
        ),
        migrations.RunPython(fill, migrations.RunPython.noop, elidable=True),
    ]
