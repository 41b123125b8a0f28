"""Notice what happened, in what the apps have stored. Nobody has to tell: a fact that is there is found.

1. Every finder below looks at the last two days, or at what stands now, and names what it finds by kind and key.
2. What has an event already is left out; the rest is stored, and the database keeps one of each.
3. The very first time what is older than an hour counts as told: an upgrade sends no mails about days that are over,
   and the first trouble of a new installation is told.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from typing import Any

from django.urls import reverse

from profiles.models import IntegrationProfile, JobRun
from reclamation.find_candidates import FIND
from reclamation.models import RemovalAttempt, RemovalBatch
from samsaas.events import kinds
from samsaas.models import Notification, Webhook
from subscriptions.models import MetricResult, ReconciliationRun, RenewalReminder

LOOK_BACK = timedelta(days=2)
OVER = timedelta(hours=1)
MOST_AT_ONCE = 500
Finder = Callable[[datetime], Iterator[Notification]]


def run(now: datetime) -> int:
    """Store an event for everything new. Returns how many."""
    first_time = not Notification.objects.exists()
    found = {(one.kind, one.key): one for finder in FINDERS for one in finder(now)}
    known = Notification.objects.filter(kind__in={kind for kind, _ in found}, key__in={key for _, key in found})
    for pair in known.values_list("kind", "key"):
        found.pop(pair, None)
    for one in found.values():
        one.told, one.title = first_time and one.at < now - OVER, one.title[:200]
    fresh = sorted(found.values(), key=lambda one: one.at)
    Notification.objects.bulk_create(fresh, ignore_conflicts=True)
    return len(fresh)


def _runs(now: datetime) -> Iterator[Notification]:
    """Runs that failed or wait for confirmation, but those of Validate Connection: whoever pressed it sees it."""
    states = {JobRun.State.FAILED: (kinds.RUN_FAILED, "failed"), JobRun.State.HELD: (kinds.RUN_HELD, "waits for you")}
    ended = JobRun.objects.filter(state__in=states, finished_at__gte=now - LOOK_BACK)
    for run in ended.exclude(process="validate_connection").order_by("-pk")[:MOST_AT_ONCE]:
        kind, words = states[JobRun.State(run.state)]
        name = f"{run.get_process_display()} of {run.profile_name}" if run.profile_name else run.get_process_display()
        text = f"{run.error_message} {run.error_remedy}".strip()
        path = run.get_absolute_url()
        yield _event(kind, run.pk, run.finished_at or now, f"{name} {words}", text, path, run.profile_id)


def _authorizations(now: datetime) -> Iterator[Notification]:
    """Profiles that need a person to connect them again: once until the next refresh that works."""
    lost = (IntegrationProfile.Attention.NEEDS_AUTHORIZATION, IntegrationProfile.Attention.CLIENT_REFUSED)
    for one in IntegrationProfile.objects.filter(attention__in=lost)[:MOST_AT_ONCE]:
        key = (
            f"{one.pk}:{one.attention}:{one.refreshed_at:%Y%m%d%H%M%S}"
            if one.refreshed_at
            else f"{one.pk}:{one.attention}"
        )
        text = "Nothing is refreshed until an administrator presses Get OAuth Token, or corrects the client secret."
        title = f"{one.display_name}: {one.get_attention_display().lower()}"
        yield _event(kinds.NEEDS_AUTHORIZATION, key, now, title, text, one.get_absolute_url(), one.pk)


def _candidates(now: datetime) -> Iterator[Notification]:
    runs = JobRun.objects.filter(process=FIND, state=JobRun.State.SUCCEEDED, finished_at__gte=now - LOOK_BACK)
    for run in runs.order_by("-pk")[:MOST_AT_ONCE]:
        if number := int(run.counters.get("proposed") or 0):
            title = f"{number:,} new removal candidate{'' if number == 1 else 's'} of {run.profile_name}"
            path = reverse("candidate_list") + (f"?profile={run.profile_id}" if run.profile_id else "")
            yield _event(kinds.CANDIDATES_FOUND, run.pk, run.finished_at or now, title, "", path, run.profile_id)


def _batches(now: datetime) -> Iterator[Notification]:
    stopped = RemovalBatch.objects.filter(state=RemovalBatch.State.QUARANTINED)
    for one in stopped[:MOST_AT_ONCE]:
        title = f"{one} of {one.profile_name} waits for a second person"
        text = f"{one.size:,} removals are held until somebody else approves or rejects them."
        path = reverse("batch_detail", args=[one.pk])
        yield _event(kinds.BATCH_QUARANTINED, one.pk, one.requested_at, title, text, path, one.profile_id)


def _attempts(now: datetime) -> Iterator[Notification]:
    """Removals that need a person, that were wrong, or were taken back."""
    since, made = now - LOOK_BACK, RemovalAttempt.objects.filter(dry_run=False).select_related("candidate")
    state, words = RemovalAttempt.State, "Removal of {}"
    for one in made.filter(state=state.NEEDS_HUMAN)[:MOST_AT_ONCE]:
        moment = one.called_at or one.opened_at
        text = f"{one.error_message} {one.error_remedy}".strip()
        yield _of_attempt(kinds.ATTEMPT_NEEDS_HUMAN, one, moment, f"{words} needs a person", text)
    for one in made.filter(regret_at__gte=since)[:MOST_AT_ONCE]:
        yield _of_attempt(
            kinds.REGRET_ALARM, one, one.regret_at or now, "{} was removed and had used it", "Restore it."
        )
    for one in made.filter(state=state.RESTORED, restored_at__gte=since)[:MOST_AT_ONCE]:
        yield _of_attempt(kinds.SEAT_RESTORED, one, one.restored_at or now, "{} was restored", "")


def _of_attempt(kind: str, one: RemovalAttempt, at: datetime, title: str, text: str) -> Notification:
    title, path = title.format(one.email or one.external_id), one.candidate.get_absolute_url()
    return _event(kind, one.pk, at, title, text, path, one.candidate.profile_id)


def _position(now: datetime) -> Iterator[Notification]:
    """Software models of which more is in use than is owned, and those that are compliant again: on the change only."""
    current = MetricResult.objects.filter(model_result__current=True, model_result__software_model__isnull=False)
    rows = list(current.select_related("model_result__software_model"))
    states = _last_states()
    for row in rows:
        key, is_out = str(row.model_result.software_model_id), row.is_out_of_compliance
        if is_out == states.get(key, False):
            continue
        kind = kinds.OUT_OF_COMPLIANCE if is_out else kinds.COMPLIANT_AGAIN
        title = f"{row.model_result}: {f'{row.needed:,} rights are missing' if is_out else 'compliant again'}"
        yield _event(kind, f"{key}:{row.model_result_id}", now, title, "", row.get_absolute_url())


def _last_states() -> dict[str, bool]:
    """For each software model by its key whether it was out of compliance as last told."""
    told = Notification.objects.filter(kind__in=(kinds.OUT_OF_COMPLIANCE, kinds.COMPLIANT_AGAIN)).order_by("pk")
    return {key.partition(":")[0]: kind == kinds.OUT_OF_COMPLIANCE for kind, key in told.values_list("kind", "key")}


def _reductions(now: datetime) -> Iterator[Notification]:
    recent = RenewalReminder.objects.filter(at__gte=now - LOOK_BACK).select_related("entitlement")
    for one in recent[:MOST_AT_ONCE]:
        title = f"{one.entitlement}: the vendor must know of a reduction by {one.reduce_by:%-d %b %Y}"
        key = f"{one.entitlement_id}:{one.reduce_by}:{one.days_before}"
        yield _event(kinds.REDUCE_BY, key, one.at, title, "", reverse("renewal_detail", args=[one.entitlement_id]))


def _reconciliations(now: datetime) -> Iterator[Notification]:
    bad = (ReconciliationRun.State.FAILED, ReconciliationRun.State.PARTIALLY_COMPLETED)
    for one in ReconciliationRun.objects.filter(state__in=bad, finished_at__gte=now - LOOK_BACK)[:MOST_AT_ONCE]:
        title = f"{one}: {one.get_state_display().lower()}"
        text = "The results of before stand."
        yield _event(kinds.RECONCILIATION_FAILED, one.pk, one.finished_at or now, title, text, one.get_absolute_url())


def _drift(now: datetime) -> Iterator[Notification]:
    """Profiles of which the vendor counts another number in use than is counted here; once for each difference."""
    whole = ReconciliationRun.objects.filter(finished_at__gte=now - LOOK_BACK, question_date=None)
    run = whole.filter(scope_key__endswith="/all").order_by("-pk").first()
    for one in run.figures.get("profiles", ()) if run else ():
        if one.get("drift"):
            title = f"{one['name']}: {one['counted']:,} in use as counted here, {one['reported']:,} per vendor"
            yield _event(kinds.DRIFT, f"{one['profile']}:{one['drift']}", now, title, "", reverse("vendor-drift"))


def _webhooks(now: datetime) -> Iterator[Notification]:
    for one in Webhook.objects.filter(stopped_at__gte=now - LOOK_BACK):
        text = "Nothing arrived there for two days. Correct its address, send a test, and switch it on again."
        key, title = f"{one.pk}:{one.stopped_at:%Y%m%d%H%M%S}", f"Webhook {one} was switched off"
        yield _event(kinds.WEBHOOK_STOPPED, key, one.stopped_at or now, title, text, one.get_absolute_url())


def _event(
    kind: str, key: Any, at: datetime, title: str, text: str, path: str, profile: int | None = None
) -> Notification:
    return Notification(kind=kind, key=str(key), at=at, title=title, text=text, path=path, profile_key=profile)


FINDERS: tuple[Finder, ...] = (
    *(_runs, _authorizations, _candidates, _batches, _attempts),
    *(_position, _reductions, _reconciliations, _drift, _webhooks),
)
