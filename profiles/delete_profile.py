"""Delete an integration profile.

1. Refuse while a run that changes the vendor's data is active.
2. Cancel its other runs: their workers find their lease gone at the next page and stop.
3. Delete the profile with its subscriptions and open authorizations, then its credentials.
4. A child alias goes with its profile; the vendor's parent alias stays, empty. Job results and the audit trail stay.
"""

from __future__ import annotations

from dataclasses import dataclass

from django.contrib.auth.models import User
from django.db import models, transaction
from django.db.models.functions import Now

from profiles.connectors import base
from profiles.models import IntegrationProfile, JobRun
from samsaas import audit


class Busy(Exception):
    """A run that removes members is under way; deleting now could leave one half removed."""


@dataclass(frozen=True)
class Consequence:
    """How many rows of one kind go, or stay."""

    count: int
    label: str


def goes(profile: IntegrationProfile) -> list[Consequence]:
    """What is deleted with the profile, counted now."""
    cascading = [relation for relation in profile._meta.related_objects if relation.on_delete is models.CASCADE]
    found = [
        Consequence(
            relation.related_model._base_manager.filter(**{relation.field.name: profile}).count(), _label(relation)
        )
        for relation in cascading
    ]
    return [*found, Consequence(profile.alias.credentials.count(), "credentials with their tokens")]


def _label(relation: models.ForeignObjectRel) -> str:
    return str(relation.related_model._meta.verbose_name_plural)


def stays(profile: IntegrationProfile) -> list[Consequence]:
    """What is kept."""
    return [Consequence(profile.runs.count(), "job results")]


def run(profile: IntegrationProfile, *, by: User) -> None:
    """Delete it. Raises `Busy`."""
    with transaction.atomic():
        locked = IntegrationProfile.objects.select_for_update().get(pk=profile.pk)
        if locked.runs.active().filter(process=base.RECLAIM).exists():
            raise Busy
        locked.runs.active().update(state=JobRun.State.CANCELLED, finished_at=Now(), owner="", step="")
        audit.record(by, "deleted profile", locked, team=locked.team_name, **{"gone": _told(goes(locked))})
        alias = locked.alias
        locked.delete()
        alias.credentials.all().delete()
        if alias.parent_id:
            alias.delete()


def _told(consequences: list[Consequence]) -> dict[str, int]:
    return {consequence.label: consequence.count for consequence in consequences}
