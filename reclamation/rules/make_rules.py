"""Make the reclamation rule of every software model that has none.

1. Find the models without a rule. One whose rule a person deleted has a row that is off, so it is not made again.
2. Make each with the defaults, its first version, and a line in the audit trail.

Nobody is mailed and nothing is removed by such a rule before a person has reviewed it.
"""

from __future__ import annotations

from datetime import datetime

from django.db import transaction

from reclamation.models import ReclamationRule
from reclamation.rules import versions
from samsaas import audit
from subscriptions.models import SoftwareModel

LONGEST_NAME = ReclamationRule._meta.get_field("name").max_length


def run(now: datetime) -> int:
    """Returns how many rules were made."""
    models = SoftwareModel.objects.filter(reclamation_rule=None).order_by("pk")
    return sum(_make_rule(model, now) for model in models)


@transaction.atomic
def _make_rule(model: SoftwareModel, now: datetime) -> bool:
    """Whether the rule is new. Two finds may come upon the same model at once."""
    rule, is_new = ReclamationRule.objects.get_or_create(
        software_model=model, defaults={"name": f"SAM - Reclaim {model}"[:LONGEST_NAME], "made_at": now}
    )
    if is_new:
        versions.add_version(rule, by=None, now=now)
        audit.record(None, "made reclamation rule", rule, software_model=str(model))
    return is_new
