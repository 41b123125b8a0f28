from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("profiles", "0014_bind_secrets_to_rows")]

    operations = [
        migrations.AddField(
            model_name="integrationprofile",
            name="team_since",
            field=models.DateTimeField(
                blank=True,
                help_text="Since when it is connected to this team. Facts from before are of another one.",
                null=True,
            ),
        ),
    ]
