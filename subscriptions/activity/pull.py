"""Pull user activity of a profile.

1. Ask whether the plan records file events. Without them only sign-ins, sharing and devices can be seen.
2. Read from 72 hours before the last settled moment, from further back where the log was not read for every seat, from
   the day that a person chose, or continue at the cursor of a reading that was interrupted.
3. Read the log to its end, see `reading`.
4. Read device sessions as a second signal where the grant allows it.
5. Judge the reading. Store which time is covered now, but only if it is believed; otherwise say why. The next pull
   begins at the end of what is covered, so it reads the doubtful time again.
6. Drop the days of use that are older than 400 days.

The latest activity never moves backwards, and nothing here calls a seat inactive.
"""

from __future__ import annotations

from datetime import UTC, date, datetime

from django.db import transaction
from django.db.models import Q

from profiles.connection.team import check_team
from profiles.connectors import base
from profiles.jobs.job import Job, LeaseLost
from profiles.models import IntegrationProfile
from subscriptions.activity import drop_old_days, last_used, store as activity
from subscriptions.activity.coverage import intervals, plausibility
from subscriptions.activity.reading import LogReading
from subscriptions.models import LastActivity, ReadDay, Subscription
from subscriptions.models.activity import LATE

MOST_RESTARTS = 2
COMPARED = 120  # days before the end of a reading that it is compared with
SEVERAL_TEAMS = "The profile was connected to another team while this run was at work. Nothing of it is covered."


def run(job: Job, *, now: datetime) -> None:
    """Pull the activity of the job's profile.

    Raises `base.ConnectorError` or `django.db.Error`; stored batches stay.
    """
    profile = job.run.profile
    if profile is None:
        raise LeaseLost("The profile is gone.")
    connector = job.connector()
    check_same_team(profile, connector)
    _ask_for_file_events(job, profile, connector)
    reading = LogReading(job, profile, connector)
    if not reading.try_to_resume(now):
        reading.start_reading(now)
    reading.read_to_end()
    last_session = _read_sessions(job, profile, connector)
    with transaction.atomic():
        _conclude(job, reading, last_session)
        IntegrationProfile.objects.filter(pk=profile.pk).update(activity_refreshed_at=now)
    drop_old_days.run(job, profile, now)


def check_same_team(profile: IntegrationProfile, connector: base.Connector) -> None:
    """Refuse another team than the profile's. Where the grant does not say the team, the download says so."""
    try:
        check_team(profile, connector.team())
    except base.MissingScope:
        return


def _ask_for_file_events(job: Job, profile: IntegrationProfile, connector: base.Connector) -> None:
    recorded = connector.file_events()
    IntegrationProfile.objects.filter(pk=profile.pk).update(file_events=recorded)
    if recorded is False:
        job.warn(
            "This plan records no file events. A user who only syncs files looks idle, unless a device session "
            "shows use."
        )


def _conclude(job: Job, reading: LogReading, last_session: datetime | None) -> None:
    """Store what the reading covers, if it is believed, and say why if not. Call it in a transaction."""
    profile = lock_profile_of_team(reading)
    belief = plausibility.judge(figures_of(reading, profile, last_session))
    warn_of_doubts(job, belief.doubts)
    if belief.silent_since is not None:
        intervals.withdraw_after(profile, reading.team_id, belief.silent_since)
    if belief.covers_from is not None:
        intervals.add_reading(
            profile,
            intervals.Reading(
                team_id=reading.team_id,
                since=belief.covers_from,
                until=reading.began,
                started=reading.started,
                run_id=job.run.pk,
            ),
        )
        keep_read_days(profile, reading)
    reading.facts |= {"doubts": belief.doubts, "last_page": []}
    if last_session is not None:
        reading.facts |= {last_used.SESSION_FACT: last_session.isoformat()}
    job.progress(facts=reading.facts, step="Covered" if belief.covers_from else "Read, but not believed")


def lock_profile_of_team(reading: LogReading) -> IntegrationProfile:
    """The profile, locked until the end of the transaction. Raises Refused if it is of another team by now."""
    profile = IntegrationProfile.objects.select_for_update(no_key=True, of=("self",)).get(pk=reading.profile.pk)
    if profile.team_id != reading.team_id:
        raise base.Refused(SEVERAL_TEAMS, remedy="Start the run again.")
    return profile


def warn_of_doubts(job: Job, doubts: list[str]) -> None:
    """Say on the run's page why time that was read is not covered."""
    for doubt in doubts:
        job.warn(f"Not called covered: {doubt}"[:500])


def figures_of(
    reading: LogReading, profile: IntegrationProfile, last_session: datetime | None
) -> plausibility.ReadingFigures:
    """What a reading that came to its end is judged by."""
    first = reading.began.astimezone(UTC).date().toordinal() - COMPARED
    compared = profile.read_days.filter(team_id=reading.team_id, day__gte=date.fromordinal(first))
    active = intervals.seats_of_team(profile).filter(status=Subscription.Status.ACTIVE)
    return plausibility.ReadingFigures(
        since=reading.since,
        until=reading.began,
        read=reading.totals["read"],
        unknown=reading.totals["unknown_actor"],
        nameless=reading.totals["no_actor"],
        set_aside=reading.totals["set_aside"],
        not_use=reading.totals["not_use"],
        latest=_latest_portion(reading),
        by_day=reading.by_day,
        before=dict(compared.values_list("day", "events")),
        last_use=reading.last_use,
        last_session=last_session,
        file_events=profile.file_events,
        members_since=lambda moment: active.filter(Q(assigned_at=None) | Q(assigned_at__lt=moment)).count(),
    )


def _latest_portion(reading: LogReading) -> plausibility.Portion | None:
    """The last 72 hours of a longer reading, beginning at midnight; None for one that is not longer."""
    first = (reading.began - LATE).astimezone(UTC).date()
    if reading.since >= intervals.midnight_of_day(first):
        return None
    beside = reading.count_beside(first)
    return plausibility.Portion(
        use=sum(events for day, events in reading.by_day.items() if day >= first),
        not_use=beside["not_use"],
        unknown=beside["unknown_actor"],
        nameless=beside["no_actor"],
        set_aside=beside["set_aside"],
        when=" of the last 72 hours",
    )


def keep_read_days(profile: IntegrationProfile, reading: LogReading) -> None:
    """Keep how much the log held on each day that was read, for the next reading to be compared with."""
    first, end = reading.since.date(), reading.until.date() if reading.until else date.max
    rows = [
        ReadDay(profile=profile, team_id=reading.team_id, day=day, events=events)
        for day, events in reading.by_day.items()
        if first <= day < end
    ]
    ReadDay.objects.bulk_create(
        rows, update_conflicts=True, unique_fields=["profile", "team_id", "day"], update_fields=["events"]
    )


def _read_sessions(job: Job, profile: IntegrationProfile, connector: base.Connector) -> datetime | None:
    """Read device sessions if the grant allows it, and return the latest use of a device.

    An error of the vendor here is only a warning: the events count.
    """
    scope = profile.vendor_info.session_scope
    credential = profile.alias.credentials.filter(purpose=base.SUBSCRIPTIONS).first()
    if not scope or credential is None or scope not in credential.granted_scopes:
        return None
    restarts = 0
    while True:
        try:
            return _store_sessions(job, profile, connector)
        except (base.MissingScope, base.Refused, base.TryLater, base.ProtocolError, base.ListingReset) as error:
            if isinstance(error, base.ListingReset) and restarts < MOST_RESTARTS:
                restarts += 1
                continue
            job.warn(f"Device sessions could not be read: {error}")
            return None


def _store_sessions(job: Job, profile: IntegrationProfile, connector: base.Connector) -> datetime | None:
    odd, latest = 0, None
    for page in connector.sessions():
        page.fold(into := base.Uses())
        odd += into.counters["set_aside"]
        latest = max(filter(None, (latest, into.latest())), default=None)
        with transaction.atomic():
            activity.store_batch(profile, into, run_id=job.run.pk, reading=0, signal=LastActivity.Signal.SESSION)
            job.progress(step="Looking at device sessions")
    if odd:
        job.warn(f"Device sessions of {odd:,} members could not be read. Those of the others count.")
    return latest
