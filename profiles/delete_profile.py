"""Delete an integration profile.

1. Refuse while a run that changes the vendor's data is active, or where a step of another app says so.
2. Cancel its other runs and commit. Their workers find at the next page that they lost the lease, and stop.
3. Delete everything that belongs to the profile, from the bottom up. Each table takes one statement with a subquery, so
   a million seats need no memory here. Rows that only refer to the profile (job results) lose the reference.
4. Call the steps of other apps, named in `PROFILE_DELETION_STEPS`. The seats are gone then; the profile still exists.
5. Delete the profile, then the credentials of its alias. A child alias is deleted with its profile; the vendor's parent
   alias is kept, empty. Job results and the audit trail are kept.

A worker that stores a batch at the same time may hold rows we need while it waits for rows we hold. The database ends
such a deadlock by refusing one of the two. That worker has lost its lease by then, so a second try succeeds.
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
# Tables a person does not know by name. Coverage and matches are counted as part of the subscriptions.
TECHNICAL = {
    OAuthState._meta.label,
    ProcessCheck._meta.label,
    "subscriptions.AcceptedListing",
    "subscriptions.ActivityCoverage",
    "subscriptions.ReadDay",
}


class Busy(Exception):
    """Members are being removed at the vendor; deleting now could leave a removal half done. The text says so."""

    def __init__(self, text: str = "A reclamation is under way. Delete the profile when it has ended.") -> None:
        super().__init__(text)


@dataclass(frozen=True)
class Consequence:
    """How many rows of one kind will be deleted, or kept."""

    count: int
    label: str


def will_be_deleted(profile: IntegrationProfile) -> list[Consequence]:
    """The rows deleted with the profile, as far as a person knows them by name, counted now."""
    counted = [
        Consequence(
            relation.related_model._base_manager.filter(**{relation.field.name: profile}).count(),
            str(relation.related_model._meta.verbose_name_plural),
        )
        for relation in _foreign_keys_to(IntegrationProfile)
        if relation.on_delete is models.CASCADE and _is_worth_naming(relation.related_model)
    ]
    named = [one for one in counted if one.count or one.label == "software subscriptions"]
    return [*named, Consequence(profile.alias.credentials.count(), "credentials with their tokens")]


def _is_worth_naming(model: type[models.Model]) -> bool:
    return not model._meta.auto_created and model._meta.label not in TECHNICAL


def will_be_kept(profile: IntegrationProfile) -> list[Consequence]:
    """The rows kept when the profile is deleted, counted now."""
    kept = [consequence for step in _deletion_steps() for consequence in step.will_be_kept(profile)]
    return [*kept, Consequence(profile.runs.count(), "job results")]


def warnings(profile: IntegrationProfile) -> list[str]:
    """What a person has to accept before the profile is deleted, one sentence each."""
    return [text for step in _deletion_steps() for text in step.warnings(profile)]


def _deletion_steps() -> list[Any]:
    """Verbs of the apps above this one, as modules.

    `check(profile)` raises `Busy`; `warnings(profile)` are what a person has to accept first; `will_be_kept(profile)`;
    and `run(profile, by=…, now=…)`.
    """
    return [import_module(path) for path in settings.PROFILE_DELETION_STEPS]


def run(profile: IntegrationProfile, *, by: User) -> None:
    """Delete the profile. Raises `Busy` without deleting anything."""
    for step in _deletion_steps():
        step.check(profile)
    _retry_on_deadlock(lambda: _stop_runs(profile))
    _retry_on_deadlock(lambda: _delete_rows(profile, by))


def _retry_on_deadlock(step: Callable[[], None]) -> None:
    """Run the step in a transaction of its own, and again when the database refused it to end a deadlock."""
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
    """Lock and delete the profile's own row last: workers take their locks in the same order."""
    doomed = IntegrationProfile.objects.filter(pk=profile.pk)
    gone = {consequence.label: consequence.count for consequence in will_be_deleted(profile)}
    _delete_below(IntegrationProfile, doomed)
    locked = doomed.select_for_update().select_related(None).get()
    _stop_runs(locked)  # runs that were requested after the first transaction
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
    """Every foreign key to a model, including those without a reverse name."""
    return [
        relation
        for relation in model._meta.get_fields(include_hidden=True)
        if relation.auto_created and not relation.concrete and (relation.one_to_one or relation.one_to_many)
    ]


def _rows_referring_to(relation: Any, rows: models.QuerySet[Any]) -> models.QuerySet[Any]:
    found: models.QuerySet[Any] = relation.related_model._base_manager.filter(**{f"{relation.field.name}__in": rows})
    return found


def _delete_below(model: type[models.Model], rows: models.QuerySet[Any]) -> None:
    """Delete the rows that cascade from these, the most distant tables first."""
    for relation in _foreign_keys_to(model):
        if relation.on_delete is models.CASCADE:
            below = _rows_referring_to(relation, rows)
            _delete_below(relation.related_model, below)
            _clear_references(relation.related_model, below)
            below._raw_delete(below.db)


def _clear_references(model: type[models.Model], rows: models.QuerySet[Any]) -> None:
    """Set nullable references to these rows to null. Raises `ProtectedError` where a reference protects them."""
    for relation in _foreign_keys_to(model):
        if relation.on_delete is models.SET_NULL:
            _rows_referring_to(relation, rows).update(**{relation.field.name: None})
        elif relation.on_delete in (models.PROTECT, models.RESTRICT) and _rows_referring_to(relation, rows).exists():
            raise models.ProtectedError(f"{relation.related_model._meta.label} needs it.", set())
