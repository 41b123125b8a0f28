"""Secrets of older releases are encrypted again, bound to their table, column and row.

Safe to interrupt and to repeat: each secret is replaced by itself, and only if nobody changed it meanwhile. A secret that
no key decrypts stays as it is; `manage.py doctor` names it.
"""

from django.db import migrations

from samsaas.lib import ciphertexts

SECRETS = (
    ("Credential", "client_secret"),
    ("Credential", "access_token"),
    ("Credential", "refresh_token"),
    ("OAuthState", "verifier"),
)


def bind(apps, schema_editor):
    for model, field in SECRETS:
        ciphertexts.bind(ciphertexts.Column(apps.get_model("profiles", model), field))


class Migration(migrations.Migration):
    atomic = False

    dependencies = [("profiles", "0013_refusals")]

    operations = [
        # Older releases cannot read bound secrets: going back is restoring the backup, as for every upgrade.
        migrations.RunPython(bind, migrations.RunPython.noop),
    ]
