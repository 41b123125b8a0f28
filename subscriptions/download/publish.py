"""Turn a staged listing into the profile's seats: readers see the old list or the new one, never a mixture.

All of it is one transaction, set-based, and touches only rows that differ.

1. Lock the profile, so that two publishes of it cannot interleave.
2. Collapse accounts listed twice (the later row counts) and total up what was listed.
3. Make sure every seat type has its identifier and software model.
4. Find the differences, column by column.
5. Write them: changed and returned seats, then new ones; mark those that exclusion rules leave out.
6. Find the seats that are gone, and end them if the listing is plausible.
7. Store the counters under the run's lease; a worker that lost it undoes everything.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from django.db import transaction

from profiles.connectors import base
from profiles.jobs.job import Job
from profiles.models import IntegrationProfile, JobRun
from subscriptions.download import differences, plausibility, staging
from subscriptions.exclusions import exclude
from subscriptions.models import Subscription, SubscriptionIdentifier
from subscriptions.software import recognize


@dataclass(frozen=True)
class Outcome:
    """What a publish did, and why it ended nothing if it withheld endings."""

    counters: dict[str, int]
    withheld_because: str


@dataclass
class Written:
    """How the published rows came about."""

    current: int
    new: int
    changed: int
    returned: int
    unchanged: int


def run(job: Job, team: base.Team, *, set_aside: int, unreadable: int, now: datetime) -> Outcome:
    """Publish the run's staging table. Raises ProtocolError for an empty list of a vendor that counts accounts.

    `set_aside` records could not be read, `unreadable` of them not even their id.
    """
    stage = staging.table(job.run.pk)
    with transaction.atomic():
        profile = IntegrationProfile.objects.select_for_update(no_key=True, of=("self",)).get(runs=job.run.pk)
        differences.tune(stage)
        listed = differences.collapse_and_total(stage)
        identifiers = recognize.run(profile.vendor_info, listed.by_identifier)
        unrecognized = [one.identifier for one in identifiers if one.software_model_id is None]
        written = _write(stage, profile, identifiers, listed.live, now)
        exclude.apply(profile)
        may_have_gone = written.current > written.unchanged + written.changed
        listing = plausibility.Listing(
            listed=listed.live,
            set_aside=set_aside,
            unreadable=unreadable,
            current=written.current,
            ending=differences.find_gone(stage, profile) if may_have_gone else 0,
            provisioned=team.provisioned,
            accept_drop=job.run.accept_drop,
            confirmed=_confirmed(job.run) if job.run.accept_drop else None,
        )
        because = _end(job, profile, listing, now)
        differences.clean_up()
        _warn(job, listing, unrecognized)
        counters = _counters(profile, listed, written, listing, unrecognized, ended=not because)
        job.progress(counters=counters, step="Published")
    return Outcome(counters, because)


def _write(
    stage: str, profile: IntegrationProfile, identifiers: list[SubscriptionIdentifier], live: int, now: datetime
) -> Written:
    current = Subscription.objects.filter(profile=profile).listed().count()
    new = changed = returned = 0
    if identifiers:
        keys = {one.identifier: one.pk for one in identifiers}
        new, changed, returned = differences.find(stage, profile, keys)
    if changed or returned:
        differences.update(stage, now)
    if new:
        differences.insert(stage, profile, now)
    return Written(current, new, changed, returned, unchanged=live - new - changed - returned)


def _end(job: Job, profile: IntegrationProfile, listing: plausibility.Listing, now: datetime) -> str:
    """End what is gone if the listing is plausible, and call the profile refreshed; else the reason why not."""
    plausibility.check_not_empty(listing)
    because = plausibility.why_nothing_ends(listing)
    if because:
        return because
    if listing.ending:
        differences.end_gone(job.run, now)
    IntegrationProfile.objects.filter(pk=profile.pk).update(refreshed_at=now)
    return ""


def _warn(job: Job, listing: plausibility.Listing, unrecognized: list[str]) -> None:
    if unrecognized:
        job.warn(f"Unrecognized seat types, not counted under any software model: {', '.join(unrecognized)}")
    if plausibility.is_short(listing):
        job.warn(
            f"The vendor counts {listing.provisioned:,} accounts but listed {listing.listed + listing.set_aside:,}."
        )


def _counters(
    profile: IntegrationProfile,
    listed: differences.Listed,
    written: Written,
    listing: plausibility.Listing,
    unrecognized: list[str],
    *,
    ended: bool,
) -> dict[str, int]:
    """seen = new + changed + returned + unchanged; `withheld` seats would have ended."""
    return {
        "seen": listed.live,
        "new": written.new,
        "changed": written.changed,
        "returned": written.returned,
        "unchanged": written.unchanged,
        "ended": listing.ending if ended else 0,
        "withheld": 0 if ended else listing.ending,
        "excluded": Subscription.objects.filter(profile=profile).left_out().count(),
        "unmatched": sum(listed.by_identifier[identifier] for identifier in unrecognized),
        "removed": listed.removed,
        "set_aside": listing.set_aside,
        "unreadable": listing.unreadable,
        "duplicates": listed.duplicates,
    }


def _confirmed(run: JobRun) -> int | None:
    """How many endings the profile's last held download asked about."""
    held = JobRun.objects.for_process(run.process).filter(profile=run.profile_id, state=JobRun.State.HELD)
    last = held.order_by("-pk").first()
    return last.counters.get("withheld") if last else None
