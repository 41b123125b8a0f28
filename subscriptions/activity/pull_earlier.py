"""Pull earlier activity: read the log before the time that is known already, and add it to what is known.

1. Read from the chosen day to the moment from which on the log is known; what is known is not read again. An
   interrupted run for the same time goes on at its cursor.
2. Let every other run of the profile that asks the vendor go first: after each batch this one goes back into the queue
   while another one waits or works.
3. Judge the reading like any other. In addition it is believed from the first day on which it found use: a log that
   does not reach back so far must not make time look unused.
4. Store the time as covered, in one piece with what was known before.

What is added never shortens the coverage there was, and nobody's latest activity moves backwards.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime

from django.db import transaction

from profiles.connectors import base
from profiles.jobs.job import Job, LeaseLost, MakeWay
from profiles.models import IntegrationProfile, JobRun
from subscriptions.activity import pull
from subscriptions.activity.coverage import intervals, plausibility
from subscriptions.activity.reading import WANTED, LogReading
from subscriptions.models.activity import LATE

PULL_EARLIER = "pull_earlier_activity"
FIRST = (base.DOWNLOAD, base.ACTIVITY, base.RECLAIM)  # what calls the same vendor and must not wait
NOT_BOUNDED = "The log of this vendor cannot be read up to a moment of the past."
NOTHING_KNOWN = "Nothing was read yet that earlier time could be added to. Pull user activity first."
ALL_KNOWN = "The log is known from that day on already."
NOT_FINAL = "What was read is younger than three days, and earlier events may still come late. Try again in a few days."
LOOK = "The coverage on the profile’s page shows what is known."
NO_USE = "The log holds no use in this time. It may not reach back so far."
CHANGED = "What is known of this team's log has changed while this run was at work. Start it again."


def refusal(profile: IntegrationProfile, now: datetime) -> str:
    """Why no earlier time can be read for the profile now; empty if it can."""
    latest = intervals.latest_of_team(profile)
    if not profile.vendor_info.bounded_log:
        return NOT_BOUNDED
    if latest is None:
        return NOTHING_KNOWN
    if latest.since <= earliest(now):
        return ALL_KNOWN
    return NOT_FINAL if latest.since > now - LATE else ""


def earliest(now: datetime) -> datetime:
    """The beginning of the earliest day (UTC) from which on a log is read."""
    return intervals.midnight_of(now - intervals.FURTHEST)


def run(job: Job, *, now: datetime) -> None:
    """Pull the earlier activity of the job's profile. Raises `base.ConnectorError`; stored batches stay."""
    profile = job.run.profile
    if profile is None:
        raise LeaseLost("The profile is gone.")
    if reason := refusal(profile, now):
        raise base.Refused(reason, remedy=LOOK)
    connector = job.connector()
    pull.check_same_team(profile, connector)
    reading = EarlierReading(job, profile, connector)
    if not reading.try_to_resume(now):
        reading.start_reading(now)
    reading.read_to_end()
    with transaction.atomic():
        _conclude(job, reading)


class EarlierReading(LogReading):
    """A pass over the log before the time that is known."""

    process = PULL_EARLIER

    @property
    def until(self) -> datetime:
        return self.began

    def start_reading(self, now: datetime) -> None:
        """Begin at the chosen day. Raises `base.Refused` if the log is known from then on."""
        started = self._lock_profile()
        latest, since = intervals.latest_of_team(self.profile), self._wanted(now)
        if latest is None or latest.since <= since:
            raise base.Refused(ALL_KNOWN if latest else NOTHING_KNOWN, remedy=LOOK)
        self._start(since, latest.since, started)

    def _wanted(self, now: datetime) -> datetime:
        """The day that a person chose for this run or, if it is started again, for the run before."""
        before = self.profile.runs.filter(process=PULL_EARLIER, facts__has_key=WANTED).order_by("-pk").first()
        chosen = self.run.facts.get(WANTED) or (before and before.facts[WANTED])
        return max(earliest(now), datetime.fromisoformat(chosen)) if chosen else earliest(now)

    def _unfinished_pull(self) -> JobRun | None:
        """The run before, if it broke off while it read the same time."""
        run, latest = self._last_unfinished(), intervals.latest_of_team(self.profile)
        same_end = run and latest and run.facts.get("began") == latest.since.isoformat()
        chosen = self.run.facts.get(WANTED)
        return run if run and same_end and chosen in (None, run.facts.get(WANTED)) else None

    def _make_way(self) -> None:
        others = self.profile.runs.filter(process__in=FIRST).active()
        if others.exists():
            raise MakeWay("Waiting, because other jobs of the profile go first")


def _conclude(job: Job, reading: EarlierReading) -> None:
    """Add what the reading covers, if it is believed, and say why if not. Call it in a transaction."""
    profile = pull.lock_profile_of_team(reading)
    belief = _judge(reading, profile)
    doubts = list(belief.doubts)
    if belief.covers_from is not None:
        added = intervals.add_earlier(
            profile,
            intervals.Reading(
                team_id=reading.team_id,
                since=belief.covers_from,
                until=reading.until,
                started=reading.started,
                run_id=job.run.pk,
            ),
        )
        if added:
            pull.keep_read_days(profile, reading)
        else:
            doubts.append(CHANGED)
    pull.warn_of_doubts(job, doubts)
    reading.facts |= {"doubts": doubts, "last_page": []}
    job.progress(facts=reading.facts, step="Read, but not believed" if doubts else "Covered")


def _judge(reading: EarlierReading, profile: IntegrationProfile) -> plausibility.Belief:
    """What of the reading is believed. Silence is measured up to the first use that was known before."""
    figures = pull.figures_of(reading, profile, None)
    end = reading.until.date()
    before = {day: events for day, events in figures.before.items() if day < end}
    known = profile.read_days.filter(team_id=reading.team_id, day__gte=end, events__gt=0).order_by("day").first()
    belief = plausibility.judge(replace(figures, before=before, next_use=known.day if known else None))
    first = _first_use(reading, end)
    if belief.covers_from is None:
        return belief
    if first is None:
        return replace(belief, covers_from=None, doubts=[*belief.doubts, NO_USE])
    return replace(belief, covers_from=max(belief.covers_from, intervals.midnight_of_day(first)))


def _first_use(reading: EarlierReading, end: date) -> date | None:
    days = [day for day, events in reading.by_day.items() if events and reading.since.date() <= day < end]
    return min(days, default=None)
