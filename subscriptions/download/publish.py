"""Publish a staged listing as the profile's seats. Readers see the old list or the new one, never a mixture.

Everything happens in one transaction, set-based, and only rows that differ are written.

1. Lock the profile, so that only one publish of it runs at a time. Refuse a list of a team it no longer belongs to.
2. Bring the listing up to date with our own removals and restorations since it began. Collapse accounts that are listed
   twice (the later row counts) and count what was listed.
3. Create missing subscription identifiers and software models.
4. Compare the listing with the seats, column by column.
5. Write changed and returned seats, then new ones. Mark the seats that exclusion rules exclude.
6. Find the seats that are no longer listed, and end them if the listing is plausible. Then the next one is compared
   with it.
7. Have the log read again for seats to which names moved that it holds alone.
8. Store the counters under the run's lease. If another worker has taken the lease over, everything is rolled back.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from django.db import transaction

from profiles.connection.team import check_team
from profiles.connectors import base
from profiles.jobs.job import Job
from profiles.models import IntegrationProfile, JobRun
from subscriptions.download import differences, net_change, plausibility, staging
from subscriptions.download.learned_names import LearnedNames
from subscriptions.exclusions import exclude
from subscriptions.models import AcceptedListing, Subscription, SubscriptionIdentifier
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


@dataclass(frozen=True, kw_only=True)
class Listing:
    """What a download read into staging.

    `began` is the moment before its first page was asked for. `team` is the vendor's last answer on the tenant,
    `counted_before` its own count when the listing began. `set_aside` is the number of records that could not be read,
    `unreadable` that of those without a readable id.
    """

    began: datetime
    team: base.Team
    counted_before: int | None
    set_aside: int
    unreadable: int

    @property
    def counts(self) -> tuple[int, ...]:
        """The vendor's own counts before and after; a count of none is no count."""
        return tuple(count for count in (self.counted_before, self.team.provisioned) if count)


def run(job: Job, listing: Listing, *, now: datetime) -> Published:
    """Publish the run's staging table.

    Raises ProtocolError for an empty list from a vendor that counts accounts, Refused if the profile was moved to
    another team meanwhile.
    """
    stage = staging.table_name(job.run.pk)
    with transaction.atomic():
        profile = IntegrationProfile.objects.select_for_update(no_key=True, of=("self",)).get(runs=job.run.pk)
        check_team(profile, listing.team)
        differences.tune_planner(stage)
        differences.correct_by_own_changes(stage, profile, listing.began)
        listed = differences.collapse_and_total(stage)
        identifiers = recognize.run(profile.vendor_info, listed.by_identifier)
        unrecognized = [one.identifier for one in identifiers if one.software_model_id is None]
        names = LearnedNames(profile)
        written = _write_differences(stage, profile, identifiers, listed.live, names, now)
        exclude.mark_seats(profile)
        may_have_gone = written.current > written.unchanged + written.changed
        gone = differences.find_gone(stage, profile) if may_have_gone else {}
        last = AcceptedListing.objects.filter(profile=profile).first()
        tally = _tally(listing, listed, gone, last)
        figures = _figures(job.run, listing, tally, written, last)
        because = _end_missing(job, profile, figures, now)
        if not because:
            if gone:
                names.add_gone()
            _accept_listing(job.run, listing, last, tally, now)
        names.read_again()
        differences.clean_up()
        _warn_of_oddities(job, figures, unrecognized, withheld=bool(because))
        counters = _run_counters(profile, listed, written, figures, unrecognized, ended=not because)
        counters |= {**_counts_of(tally), "set_aside": listing.set_aside}
        job.progress(counters=counters, expected=job.run.items, step="Published")
    return Published(counters, because)


def _tally(
    listing: Listing, listed: differences.Listed, gone: dict[str, int], last: AcceptedListing | None
) -> net_change.ListingTally:
    return net_change.ListingTally(
        by_status=listed.by_status,
        unread=listed.shields + listing.unreadable,
        ending_by_status=gone,
        counts=listing.counts,
        removed_by_us=_removed_by_us_since(last) if last else 0,
    )


def _removed_by_us_since(last: AcceptedListing) -> int:
    """How many seats our own removals ended since the last accepted listing."""
    ended = Subscription.objects.filter(profile=last.profile_id, ended_at__gt=last.at)
    return ended.filter(ended_by_run__process=base.RECLAIM).count()


def _figures(
    run: JobRun, listing: Listing, tally: net_change.ListingTally, written: Written, last: AcceptedListing | None
) -> plausibility.ListingFigures:
    same_team = last if last and last.team_id == listing.team.team_id else None
    return plausibility.ListingFigures(
        listed=sum(tally.by_status.values()),
        set_aside=tally.unread,
        unreadable=listing.unreadable,
        current=written.current,
        ending=sum(tally.ending_by_status.values()),
        provisioned=listing.team.provisioned,
        change=net_change.compare(same_team, tally),
        moved=bool(last and not same_team),
        accept_drop=run.accept_drop,
        confirmed=_confirmed_endings(run, listing.team) if run.accept_drop else 0,
    )


def _accept_listing(
    run: JobRun, listing: Listing, last: AcceptedListing | None, tally: net_change.ListingTally, now: datetime
) -> None:
    """Store the listing as the one that the next is compared with, unless the last one stays that."""
    same_team = last if last and last.team_id == listing.team.team_id else None
    if values := net_change.accepted_values(same_team, tally, confirmed=run.accept_drop):
        AcceptedListing.objects.update_or_create(
            profile_id=run.profile_id, defaults={**values, "team_id": listing.team.team_id, "run": run, "at": now}
        )


def _write_differences(
    stage: str,
    profile: IntegrationProfile,
    identifiers: list[SubscriptionIdentifier],
    live: int,
    names: LearnedNames,
    now: datetime,
) -> Written:
    current = Subscription.objects.filter(profile=profile).listed().count()
    new = changed = returned = 0
    if identifiers:
        keys = {one.identifier: one.pk for one in identifiers}
        new, changed, returned = differences.find_changes(stage, profile, keys)
    if changed or returned:
        names.add_changed(stage)
        differences.update_changed(stage, profile, now)
    if new:
        differences.insert_new(stage, profile, now)
    unchanged = live - new - changed - returned
    return Written(current, new, changed, returned, unchanged=unchanged)


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


def _warn_of_oddities(
    job: Job, listing: plausibility.ListingFigures, unrecognized: list[str], *, withheld: bool
) -> None:
    if unrecognized:
        names = ", ".join(unrecognized)
        job.warn(f"Unrecognized subscription identifiers, not counted under any software model: {names}")
    short = plausibility.describe_shortness(listing)
    if short and not (withheld and listing.change):
        job.warn(short)


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


def _counts_of(tally: net_change.ListingTally) -> dict[str, int]:
    """What the list and the vendor's own count are made of, so that a reader sees why they differ."""
    parts = {status: tally.by_status.get(status, 0) for status in ("invited", "suspended")}
    return {**parts, "counted": tally.counts[-1]} if tally.counts else parts


def _confirmed_endings(run: JobRun, team: base.Team) -> int:
    """How many endings the profile's last held download of this team asked a person to confirm."""
    held = JobRun.objects.for_process(run.process).filter(profile=run.profile_id, state=JobRun.State.HELD)
    last = held.order_by("-pk").first()
    if last is None or last.facts.get("team", team.team_id) != team.team_id:
        return 0
    return int(last.counters.get("withheld", 0))
