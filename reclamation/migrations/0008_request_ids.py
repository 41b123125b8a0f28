"""Keep the vendor's request ids of calls that it took, not only of those that it refused."""

from __future__ import annotations

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("reclamation", "0007_backtest")]

    operations = [
        migrations.AddField(
            model_name="removalattempt",
            name="withdraw_request_id",
            field=models.CharField(
                blank=True,
                default="",
                help_text="The vendor’s id of the call that removed the member.",
                max_length=120,
            ),
            preserve_default=False,
        ),
        migrations.AddField(
            model_name="removalattempt",
            name="move_request_id",
            field=models.CharField(
                blank=True,
                default="",
                help_text="The vendor’s id of the call that began the move of the files.",
                max_length=120,
            ),
            preserve_default=False,
        ),
        migrations.AddField(
            model_name="removalattempt",
            name="restore_request_id",
            field=models.CharField(
                blank=True,
                default="",
                help_text="The vendor’s id of the call that restored the member.",
                max_length=120,
            ),
            preserve_default=False,
        ),
    ]
