"""What a refusal means: a refused client secret is no lost grant, and a run remembers an unreadable answer."""

from typing import Any

from django.db import migrations, models
from django.db.models import Q

# The beginnings of the reasons for which grants were given up although the vendor had not ended them.
SECRET_REFUSED = "The vendor does not accept the app key and secret: "  # noqa: S105 - a sentence
OTHERWISE_REFUSED = "The vendor refused the token request: "


def take_up_grants(apps: Any, schema_editor: Any) -> None:
    """Connect again what was given up for another reason than a lost grant: the refresh token was kept.

    The next run refreshes the access token. If the grant is gone, the vendor says so then.
    """
    credentials, profiles = apps.get_model("profiles", "Credential"), apps.get_model("profiles", "IntegrationProfile")
    given_up = credentials.objects.filter(
        Q(state_reason__startswith=SECRET_REFUSED) | Q(state_reason__startswith=OTHERWISE_REFUSED),
        state="needs_authorization",
    )
    for credential in given_up:
        secret = credential.state_reason.startswith(SECRET_REFUSED)
        credentials.objects.filter(pk=credential.pk).update(
            state="connected", state_reason=credential.state_reason if secret else "", expires_at=None
        )
        profiles.objects.filter(alias=credential.alias_id, attention="needs_authorization").update(
            attention="client_refused" if secret else "refresh_failed"
        )


class Migration(migrations.Migration):
    dependencies = [("profiles", "0012_help_texts_in_plain_english")]

    operations = [
        migrations.AddField(
            model_name="jobrun",
            name="unreadable",
            field=models.CharField(
                blank=True,
                help_text="Form of the unreadable answer that put the run back, if all answers had the same.",
                max_length=32,
            ),
        ),
        migrations.AlterField(
            model_name="integrationprofile",
            name="attention",
            field=models.CharField(
                blank=True,
                choices=[
                    ("", "None"),
                    ("needs_authorization", "Needs authorization"),
                    ("client_refused", "Client secret refused"),
                    ("refresh_failed", "Last refresh failed"),
                    ("refresh_held", "Refresh waits for confirmation"),
                ],
                default="",
                max_length=30,
            ),
        ),
        migrations.RunPython(take_up_grants, migrations.RunPython.noop),
    ]
