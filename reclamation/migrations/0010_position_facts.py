"""Lines of the ledger that exist count for the software model that their seat type is mapped to today."""

from typing import Any

from django.db import migrations
from django.db.models import OuterRef, Subquery


def fill_models(apps: Any, schema_editor: Any) -> None:
    entries = apps.get_model("reclamation", "SavingsEntry").objects
    candidates = apps.get_model("reclamation", "RemovalCandidate").objects.filter(pk=OuterRef("candidate"))
    model = candidates.values("subscription__identifier__software_model")[:1]
    entries.filter(of_model=None).update(of_model=Subquery(model))


class Migration(migrations.Migration):
    dependencies = [("reclamation", "0009_position"), ("subscriptions", "0020_position_facts")]

    operations = [migrations.RunPython(fill_models, migrations.RunPython.noop)]
