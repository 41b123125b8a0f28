from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("subscriptions", "0021_entitlement_imports")]

    operations = [
        migrations.AddField(
            model_name="metricresult",
            name="last_activity",
            field=models.JSONField(
                default=dict, help_text="In use by band of last activity, as of the run. Empty for a day that is over."
            ),
        ),
    ]
