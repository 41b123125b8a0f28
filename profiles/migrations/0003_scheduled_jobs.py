"""Profiles that are published already keep their daily refresh: their scheduled jobs are made here."""

from django.db import migrations


def schedule_published(apps, schema_editor):
    profiles = apps.get_model("profiles", "IntegrationProfile")
    jobs = apps.get_model("profiles", "ScheduledJob")
    for profile in profiles.objects.filter(status="published"):
        jobs.objects.get_or_create(profile=profile, process="download_subscriptions")
        if profile.pull_activity:
            jobs.objects.get_or_create(profile=profile, process="pull_activity")


class Migration(migrations.Migration):
    dependencies = [("profiles", "0002_daily_refresh")]
    operations = [migrations.RunPython(schedule_published, migrations.RunPython.noop)]
