"""Make the batch of what the rules in mode automatic have ready in a profile: the last step of a find.

1. Take the Ready candidates of reviewed rules that act. What `reasons.NEVER_AUTOMATIC` names is left to a person.
2. Do nothing where a find jumped today, or where Reclaim subscriptions could not go on with them.
3. Take as many as the team's ceiling allows, the oldest first. Above the quota the batch waits for a second person.
4. Note in the run what was done and what waits. The note and the batch are one transaction, so a find that lost its
   worker and is run again makes no second batch.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from profiles.connectors import base
from profiles.jobs.job import Job
from profiles.models import IntegrationProfile, JobRun
from profiles.notices import ProfileNotice
from profiles.processes import needs_vendor_process
from reclamation import jump
from reclamation.models import ReclamationRule, RemovalBatch, RemovalCandidate
from reclamation.reasons import NEVER_AUTOMATIC
from reclamation.removal import batches, limits
from reclamation.states import State
from reclamation.sums import FIND
from subscriptions.activity import last_used

FACT = "automatic"
why_not_reclaimed = needs_vendor_process(base.RECLAIM)
TITLE = "Automatic reclaiming waits"


def run(job: Job, *, now: datetime) -> RemovalBatch | None:
    """The batch; None where there is nothing to take, or where it has to wait. Raises what `Job.progress` raises."""
    profile = job.run.profile
    if profile is None or FACT in job.run.facts or profile.pk in jump.jumped_today([profile], now):
        return None
    found = [one for one in _candidates(profile, now) if not NEVER_AUTOMATIC & set(one.evidence.get("notes", ()))]
    if not found:
        return None
    if refusal := why_not_reclaimed(profile):
        _note(job, None, f"{len(found):,} candidates are not reclaimed automatically. {refusal}")
        return None
    room = limits.figures_for(profile, now=now).room
    with transaction.atomic():
        batch = batches.make(found[:room], by=None, now=now) if room else None
        _note(job, batch, _describe_rest(profile, len(found) - room, now))
    return batch


def _candidates(profile: IntegrationProfile, now: datetime) -> Any:
    automatic = RemovalCandidate.objects.open().filter(
        profile=profile,
        state=State.READY,
        opened_by=None,
        rule__mode=ReclamationRule.Mode.AUTOMATIC,
        rule__active=True,
        rule__reviewed_at__isnull=False,
    )
    acting = automatic.filter(Q(rule__observe_until=None) | Q(rule__observe_until__lte=now))
    return batches.take_ready(acting)


def _describe_rest(profile: IntegrationProfile, rest: int, now: datetime) -> str:
    """What does not fit below the team's ceiling, and when more will; empty where everything fits."""
    if rest <= 0:
        return ""
    more_at = limits.rest_possible_at(profile, 1, now=now)
    when = f", more from {timezone.localtime(more_at):%-d %b %Y, %H:%M} on" if more_at and more_at > now else ""
    return f"{rest:,} candidates wait, because the team’s limit of removals in 7 days is used up{when}."


def _note(job: Job, batch: RemovalBatch | None, waits: str) -> None:
    """Keep in the run which batch was made and what waits, with a sentence among its warnings."""
    said = {"batch": batch.pk if batch else None, "taken": batch.size if batch else 0, "waits": waits}
    job.progress(facts={**job.run.facts, FACT: said})
    if batch and batch.state == RemovalBatch.State.QUARANTINED:
        job.warn(f"{batch} waits for a second person: nobody was asked. A team allows so many removals only with one.")
    for number, reason in batches.left_out(batch) if batch else ():
        job.warn(f"{number} left {batch}: {reason}")
    if waits:
        job.warn(waits)


def add_notices(profiles: Sequence[Any], now: datetime) -> None:
    """Add a notice to the `notices` of each profile of which something waits since its find of today. One query."""
    finds = JobRun.objects.for_process(FIND).filter(profile__in=[one.pk for one in profiles])
    today = finds.filter(created_at__gte=last_used.midnight(now), facts__has_key=FACT).order_by("pk")
    waits = {pk: facts[FACT]["waits"] for pk, facts in today.values_list("profile", "facts")}
    for profile in profiles:
        if text := waits.get(profile.pk):
            profile.notices.append(ProfileNotice("warn", TITLE, text))
