"""Delete an integration profile.

1. Refuse while a run that changes the vendor's data is active.
2. Cancel its other runs, and commit that: their workers find their lease gone at the next page and stop.
3. Delete everything that hangs on the profile from the bottom up, each table by one statement with a subquery, so that
   a million seats cost no memory here. What only refers to it (job results) lets go of it.
4. Call the steps of other apps, by `PROFILE_DELETION_STEPS`: the seats are gone, the profile is still there.
5. Delete the profile, then the credentials of its alias. A child alias goes with its profile; the vendor's parent alias
   stays, empty. Job results and the audit trail stay.

A worker that is just storing a batch holds rows we want, and wants rows we hold. The database ends such a deadlock by
refusing one of the two; its lease is gone by then, so trying again gets through.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from typing import Any

from django.conf import settings
from django.contrib.auth.models import User
from django.db import OperationalError, models, transaction
from django.db.models.functions import Now
from django.utils import timezone

from profiles.connectors import base
from profiles.models import IntegrationProfile, JobRun, OAuthState, ProcessCheck
from samsaas import audit

DEADLOCK_RETRIES = 5
# What nobody would miss or know by name; coverage and matches are told together with the subscriptions.
TECHNICAL = {OAuthState._meta.label, ProcessCheck._meta.label, "subscriptions.ActivityCoverage"}


class Busy(Exception):
    """A run that removes members is under way; deleting now could leave one half removed."""


@dataclass(frozen=True)
class Consequence:
    """How many rows of one kind go, or stay."""

    count: int
    label: str


def will_be_deleted(profile: IntegrationProfile) -> list[Consequence]:
    """What a person would miss of all that is deleted with the profile, counted now."""
    found = [
        Consequence(
            relation.related_model._base_manager.filter(**{relation.field.name: profile}).count(),
            str(relation.related_model._meta.verbose_name_plural),
        )
        for relation in _foreign_keys_to(IntegrationProfile)
        if relation.on_delete is models.CASCADE and _is_worth_naming(relation.related_model)
    ]
    always = [one for one in found if one.count or one.label == "software subscriptions"]
    return [*always, Consequence(profile.alias.credentials.count(), "credentials with their tokens")]


def _is_worth_naming(model: type[models.Model]) -> bool:
    return not model._meta.auto_created and model._meta.label not in TECHNICAL


def will_be_kept(profile: IntegrationProfile) -> list[Consequence]:
    """What is kept."""
    kept = [consequence for step in _deletion_steps() for consequence in step.will_be_kept(profile)]
    return [*kept, Consequence(profile.runs.count(), "job results")]


def _deletion_steps() -> list[Any]:
    """Verbs of the apps above: modules with `will_be_kept(profile)` and `run(profile, by=…, now=…)`."""
    return [import_module(path) for path in settings.PROFILE_DELETION_STEPS]


def run(profile: IntegrationProfile, *, by: User) -> None:
    """Delete it. Raises `Busy`; then nothing is deleted."""
    _retry_on_deadlock(lambda: _stop_runs(profile))
    _retry_on_deadlock(lambda: _delete_rows(profile, by))


def _retry_on_deadlock(step: Callable[[], None]) -> None:
    """In a transaction of its own; again where the database refused it for a worker's sake."""
    for left in reversed(range(DEADLOCK_RETRIES)):
        try:
            with transaction.atomic():
                return step()
        except OperationalError:
            if not left:
                raise


def _stop_runs(profile: IntegrationProfile) -> None:
    active = JobRun.objects.filter(profile=profile.pk).active()
    if active.filter(process=base.RECLAIM).exists():
        raise Busy
    active.update(state=JobRun.State.CANCELED, finished_at=Now(), owner="", step="")


def _delete_rows(profile: IntegrationProfile, by: User) -> None:
    """The profile's own row comes last, and so does its lock: workers take theirs in that order."""
    doomed = IntegrationProfile.objects.filter(pk=profile.pk)
    gone = {consequence.label: consequence.count for consequence in will_be_deleted(profile)}
    _delete_below(IntegrationProfile, doomed)
    locked = doomed.select_for_update().select_related(None).get()
    _stop_runs(locked)  # asked for since
    audit.record(by, "deleted profile", locked, team=locked.team_name, gone=gone)
    for step in _deletion_steps():
        step.run(locked, by=by, now=timezone.now())
    _clear_references(IntegrationProfile, doomed)
    doomed._raw_delete(doomed.db)
    alias = profile.alias
    alias.credentials.all().delete()
    if alias.parent_id:
        alias.delete()


def _foreign_keys_to(model: type[models.Model]) -> list[Any]:
    """Every foreign key to a model, those without a name on its side too."""
    return [
        relation
        for relation in model._meta.get_fields(include_hidden=True)
        if relation.auto_created and not relation.concrete and (relation.one_to_one or relation.one_to_many)
    ]


def _rows_referring_to(relation: Any, rows: models.QuerySet[Any]) -> models.QuerySet[Any]:
    found: models.QuerySet[Any] = relation.related_model._base_manager.filter(**{f"{relation.field.name}__in": rows})
    return found


def _delete_below(model: type[models.Model], rows: models.QuerySet[Any]) -> None:
    """Delete what goes with these rows, the furthest first."""
    for relation in _foreign_keys_to(model):
        if relation.on_delete is models.CASCADE:
            below = _rows_referring_to(relation, rows)
            _delete_below(relation.related_model, below)
            _clear_references(relation.related_model, below)
            below._raw_delete(below.db)


def _clear_references(model: type[models.Model], rows: models.QuerySet[Any]) -> None:
    """Empty the references to these rows that may be empty; one that protects them stops the deletion."""
    for relation in _foreign_keys_to(model):
        if relation.on_delete is models.SET_NULL:
            _rows_referring_to(relation, rows).update(**{relation.field.name: None})
        elif relation.on_delete in (models.PROTECT, models.RESTRICT) and _rows_referring_to(relation, rows).exists():
            raise models.ProtectedError(f"{relation.related_model._meta.label} needs it.", set())
