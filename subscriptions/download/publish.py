"""Publish a staged listing as the profile's seats. Readers see the old list or the new one, never a mixture.

Everything happens in one transaction, set-based, and only rows that differ are written.

1. Lock the profile, so that only one publish of it runs at a time.
2. Collapse accounts that are listed twice (the later row counts) and count what was listed.
3. Create missing subscription identifiers and software models.
4. Compare the listing with the seats, column by column.
5. Write changed and returned seats, then new ones. Mark the seats that exclusion rules exclude.
6. Find the seats that are no longer listed, and end them if the listing is plausible.
7. Store the counters under the run's lease. If another worker has taken the lease over, everything is rolled back.
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
class Published:
    """The counters of a publish, and why it withheld endings; an empty text if it did not."""

    counters: dict[str, int]
    withheld_because: str


@dataclass
class Written:
    """How many seats there were before (`current`), and how many were written or left as they were."""

    current: int
    new: int
    changed: int
    returned: int
    unchanged: int


def run(job: Job, team: base.Team, *, set_aside: int, unreadable: int, now: datetime) -> Published:
    """Publish the run's staging table. Raises ProtocolError for an empty list from a vendor that counts accounts.

    `set_aside` is the number of records that could not be read, `unreadable` that of those without a readable id.
    """
    stage = staging.table_name(job.run.pk)
    with transaction.atomic():
        profile = IntegrationProfile.objects.select_for_update(no_key=True, of=("self",)).get(runs=job.run.pk)
        differences.tune_planner(stage)
        listed = differences.collapse_and_total(stage)
        identifiers = recognize.run(profile.vendor_info, listed.by_identifier)
        unrecognized = [one.identifier for one in identifiers if one.software_model_id is None]
        written = _write_differences(stage, profile, identifiers, listed.live, now)
        exclude.mark_seats(profile)
        may_have_gone = written.current > written.unchanged + written.changed
        listing = plausibility.ListingFigures(
            listed=listed.live,
            set_aside=set_aside,
            unreadable=unreadable,
            current=written.current,
            ending=differences.find_gone(stage, profile) if may_have_gone else 0,
            provisioned=team.provisioned,
            accept_drop=job.run.accept_drop,
            confirmed=_confirmed_endings(job.run) if job.run.accept_drop else None,
        )
        because = _end_missing(job, profile, listing, now)
        differences.clean_up()
        _warn_of_oddities(job, listing, unrecognized)
        counters = _run_counters(profile, listed, written, listing, unrecognized, ended=not because)
        job.progress(counters=counters, step="Published")
    return Published(counters, because)


def _write_differences(
    stage: str, profile: IntegrationProfile, identifiers: list[SubscriptionIdentifier], live: int, now: datetime
) -> Written:
    current = Subscription.objects.filter(profile=profile).listed().count()
    new = changed = returned = 0
    if identifiers:
        keys = {one.identifier: one.pk for one in identifiers}
        new, changed, returned = differences.find_changes(stage, profile, keys)
    if changed or returned:
        differences.update_changed(stage, profile, now)
    if new:
        differences.insert_new(stage, profile, now)
    return Written(current, new, changed, returned, unchanged=live - new - changed - returned)


def _end_missing(job: Job, profile: IntegrationProfile, listing: plausibility.ListingFigures, now: datetime) -> str:
    """End missing seats and mark the profile as refreshed. If the listing is not plausible, only return why."""
    plausibility.check_not_empty(listing)
    because = plausibility.why_nothing_ends(listing)
    if because:
        return because
    if listing.ending:
        differences.end_gone(job.run, now)
    IntegrationProfile.objects.filter(pk=profile.pk).update(refreshed_at=now)
    return ""


def _warn_of_oddities(job: Job, listing: plausibility.ListingFigures, unrecognized: list[str]) -> None:
    if unrecognized:
        names = ", ".join(unrecognized)
        job.warn(f"Unrecognized subscription identifiers, not counted under any software model: {names}")
    if plausibility.is_short(listing):
        job.warn(
            f"The vendor counts {listing.provisioned:,} accounts but listed {listing.listed + listing.set_aside:,}."
        )


def _run_counters(
    profile: IntegrationProfile,
    listed: differences.Listed,
    written: Written,
    listing: plausibility.ListingFigures,
    unrecognized: list[str],
    *,
    ended: bool,
) -> dict[str, int]:
    """The run's counters: seen = new + changed + returned + unchanged. `withheld` seats would have ended."""
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


def _confirmed_endings(run: JobRun) -> int | None:
    """How many endings the profile's last held download asked a person to confirm."""
    held = JobRun.objects.for_process(run.process).filter(profile=run.profile_id, state=JobRun.State.HELD)
    last = held.order_by("-pk").first()
    return last.counters.get("withheld") if last else None
