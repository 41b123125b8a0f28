"""Note what a rule that observes would have proposed. A seat has one row for each rule, however often it is seen."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db.models import Q
from django.utils import timezone

from reclamation.models import Observation
from reclamation.reasons import Reason


@dataclass(frozen=True)
class Sighting:
    """A rule in one version would propose a seat, for this reason. All but the reason are keys."""

    rule: int
    version: int
    seat: int
    reason: Reason


def note(found: Sequence[Sighting], now: datetime) -> int:
    """Store what was observed today; a second find of the day counts nothing twice. Returns how many seats it were."""
    today = timezone.localtime(now).date()
    rows = {(one.rule_id, one.subscription_id): one for one in _stored(found)}
    for sighting in found:
        row = rows.get((sighting.rule, sighting.seat))
        if row and row.last_on < today:
            row.times += 1
        if row:
            row.last_on, row.reason, row.rule_version_id = today, sighting.reason.value, sighting.version
    Observation.objects.bulk_update(rows.values(), ["times", "last_on", "reason", "rule_version"])
    Observation.objects.bulk_create(
        Observation(
            rule_id=one.rule,
            rule_version_id=one.version,
            subscription_id=one.seat,
            reason=one.reason.value,
            first_on=today,
            last_on=today,
        )
        for one in found
        if (one.rule, one.seat) not in rows
    )
    return len(found)


def _stored(found: Sequence[Sighting]) -> list[Observation]:
    if not found:
        return []
    wanted = Q(rule__in={one.rule for one in found}, subscription__in=[one.seat for one in found])
    return list(Observation.objects.filter(wanted))
