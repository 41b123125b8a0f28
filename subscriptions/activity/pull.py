"""Pull user activity of a profile.

1. Ask whether the plan records file events. Without them only sign-ins, sharing and devices can be seen.
2. Read from a day before the last settled moment, or continue at the cursor of a reading that was interrupted.
3. Fold the pages, which are fetched ahead, into one row per account and day. The events themselves are not kept.
4. Store each batch together with its cursor and its counters. After a crash at most one batch is read again. That does
   no harm: the latest activity only moves forward, and a reading replaces the day counts of an earlier one.
5. Read device sessions as a second signal where the grant allows it.
6. Store which time is covered now, but only after the last page: the vendor does not sort its pages, so a part of them
   proves nothing.

The latest activity never moves backwards, and nothing here calls a seat inactive.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from django.db import transaction

from profiles.connectors import base
from profiles.jobs.job import Job, LeaseLost
from profiles.models import IntegrationProfile, JobRun
from samsaas.lib import read_ahead
from subscriptions.activity import coverage, store as activity
from subscriptions.models import LastActivity

CURSOR_LIFE = timedelta(days=2)
BATCH_USES = 100_000
BATCH_SECONDS = 15.0
BATCHES_AHEAD = 1
PAGES_AHEAD = 8
MOST_RESTARTS = 2
MOST_UNKNOWN_NAMED = 20


def run(job: Job, *, now: datetime) -> None:
    """Pull the activity of the job's profile.

    Raises `base.ConnectorError` or `django.db.Error`; stored batches stay.
    """
    profile = job.run.profile
    if profile is None:
        raise LeaseLost("The profile is gone.")
    connector = job.connector()
    _ask_for_file_events(job, profile, connector)
    reading = _Reading(job, profile, connector)
    if not reading.try_to_resume(now):
        reading.start_reading(coverage.next_since(profile), now)
    reading.read_to_end()
    _read_sessions(job, profile, connector)
    with transaction.atomic():
        coverage.add_interval(profile, reading.since, reading.began, run_id=job.run.pk)
        IntegrationProfile.objects.filter(pk=profile.pk).update(activity_refreshed_at=now)
        job.progress(facts=reading.facts, step="Covered")


def _ask_for_file_events(job: Job, profile: IntegrationProfile, connector: base.Connector) -> None:
    recorded = connector.file_events()
    IntegrationProfile.objects.filter(pk=profile.pk).update(file_events=recorded)
    if recorded is False:
        job.warn(
            "This plan records no file events. A user who only syncs files looks idle, unless a device session "
            "shows use."
        )


@dataclass(frozen=True)
class _Batch:
    """Pages that are folded but not stored yet."""

    uses: base.Uses
    pages: int
    cursor: str


def _fold_pages(pages: Iterator[base.ActivityPage]) -> Iterator[_Batch]:
    """Fold pages into batches.

    When the vendor throttles, the pages read so far are handed over first. Otherwise a vendor that allows only a few
    pages at a time would keep the run from ever making progress.
    """
    into, number, cursor, since = base.Uses(), 0, "", time.monotonic()
    try:
        for page in pages:
            page.fold(into)
            number, cursor = number + 1, page.cursor
            if len(into) >= BATCH_USES or time.monotonic() - since >= BATCH_SECONDS:
                yield _Batch(into, number, cursor)
                into, number, since = base.Uses(), 0, time.monotonic()
    except base.Throttled:
        if number:
            yield _Batch(into, number, cursor)
        raise
    if number:
        yield _Batch(into, number, cursor)


class _Reading:
    """One pass over the vendor's log.

    After every batch the run's row holds all that another worker needs to continue.
    """

    def __init__(self, job: Job, profile: IntegrationProfile, connector: base.Connector) -> None:
        self.job, self.run, self.profile, self.connector = job, job.run, profile, connector
        self.facts: dict[str, object] = {}
        self.unknown: set[str] = set()
        self.restarts = 0

    @property
    def since(self) -> datetime:
        return datetime.fromisoformat(str(self.facts["since"]))

    @property
    def began(self) -> datetime:
        return datetime.fromisoformat(str(self.facts["began"]))

    @property
    def reading_id(self) -> int:
        return int(str(self.facts["reading"]))

    def try_to_resume(self, now: datetime) -> bool:
        """Continue an interrupted reading of this run or of the run before. False if there is none to continue."""
        for run in (self.run, self._unfinished_pull()):
            if run and run.cursor and run.cursor_at and now - run.cursor_at < CURSOR_LIFE and "reading" in run.facts:
                self.facts = dict(run.facts)
                self.job.progress(cursor=run.cursor, facts=self.facts, step="Continuing")
                return True
        return False

    def _unfinished_pull(self) -> JobRun | None:
        """The profile's last pull, if it failed or was canceled."""
        last = self.profile.runs.filter(process=base.ACTIVITY, pk__lt=self.run.pk).order_by("-pk").first()
        return last if last and last.state in (JobRun.State.FAILED, JobRun.State.CANCELED) else None

    def start_reading(self, since: datetime, now: datetime) -> None:
        """Begin at the first page.

        `began` is in the vendor's time: a moment that the vendor's clock has surely reached.
        """
        skew = timedelta(seconds=max(0.0, -(self.connector.counters.clock_skew or 0.0)))
        began = now.astimezone(UTC) - skew
        self.facts = {"since": since.isoformat(), "began": began.isoformat(), "reading": self.run.pk}
        self.job.progress(cursor="", facts=self.facts, step=f"Reading events since {since:%d %b %Y}")

    def read_to_end(self) -> None:
        """Read to the last page.

        If the vendor loses its place, read again from the first page, `MOST_RESTARTS` times.
        """
        while True:
            try:
                return self._store_all_batches()
            except base.ListingReset:
                if self.restarts == MOST_RESTARTS:
                    raise
                self.restarts += 1
                self.job.warn("The vendor could not continue its log. It is being read again from the first page.")
                with transaction.atomic():
                    activity.forget_reading(self.profile, self.reading_id)
                    self.facts["reading"] = self.run.pk
                    self.job.progress(cursor="", facts=self.facts, counters={})

    def _store_all_batches(self) -> None:
        """Three threads work: one fetches and decodes pages, one folds them into batches, this one stores them."""
        pages = read_ahead.read(self.connector.activity(self.since, self.run.cursor), depth=PAGES_AHEAD)
        for batch in read_ahead.read(_fold_pages(pages), depth=BATCHES_AHEAD, idle=self.job.fence):
            self._warn_of_unknown_kinds(batch)
            self._store_batch(batch)

    def _warn_of_unknown_kinds(self, batch: _Batch) -> None:
        for kind in sorted(batch.uses.unknown_kinds):
            if kind not in self.unknown and len(self.unknown) < MOST_UNKNOWN_NAMED:
                self.unknown.add(kind)
                self.job.warn(f"Unknown kind of event, counted as use to be safe: {kind}")

    def _store_batch(self, batch: _Batch) -> None:
        with transaction.atomic():
            stored = activity.store_batch(
                self.profile,
                batch.uses,
                run_id=self.run.pk,
                reading=self.reading_id,
                signal=LastActivity.Signal.EVENT,
            )
            counters = Counter(self.run.counters)
            counters.update(batch.uses.counters)
            counters.update({"of_seats": stored.known, "of_nobody": stored.nobody})
            self.job.progress(
                cursor=batch.cursor,
                pages=self.run.pages + batch.pages,
                items=counters["read"],
                counters=dict(counters),
                step=f"Reading events: {counters['read']:,} so far",
            )


def _read_sessions(job: Job, profile: IntegrationProfile, connector: base.Connector) -> None:
    """Read device sessions if the grant allows it. An error of the vendor here is only a warning: the events count."""
    scope = profile.vendor_info.session_scope
    credential = profile.alias.credentials.filter(purpose=base.SUBSCRIPTIONS).first()
    if not scope or credential is None or scope not in credential.granted_scopes:
        return
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


def _store_sessions(job: Job, profile: IntegrationProfile, connector: base.Connector) -> None:
    odd = 0
    for page in connector.sessions():
        page.fold(into := base.Uses())
        odd += into.counters["set_aside"]
        with transaction.atomic():
            activity.store_batch(profile, into, run_id=job.run.pk, reading=0, signal=LastActivity.Signal.SESSION)
            job.progress(step="Looking at device sessions")
    if odd:
        job.warn(f"Device sessions of {odd:,} members could not be read. Those of the others count.")
