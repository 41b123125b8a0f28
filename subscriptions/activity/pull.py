"""Pull user activity of a profile.

1. Ask whether the plan records file events; without them sign-ins, sharing and devices are all there is to see.
2. Read from a day before what is settled, or go on at the cursor of a reading that broke off.
3. Fold the pages, fetched ahead, to one row per account and day; no event itself is kept.
4. Store each batch together with its cursor and its counters: a crash reads at most one batch again, which the greatest
   moment and the reading's own day counts absorb.
5. Take device sessions as a second signal where the grant allows.
6. Note the time that is covered now. Only a reading that came to its end proves anything: pages are not sorted.

An activity never moves backwards, and nothing here calls anybody inactive.
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
    """Raises `base.ConnectorError` or `django.db.Error`; every batch stored before stays stored."""
    profile = job.run.profile
    if profile is None:
        raise LeaseLost("The profile is gone.")
    connector = job.connector()
    _ask_plan(job, profile, connector)
    reading = _Reading(job, profile, connector)
    if not reading.resume(now):
        reading.start(coverage.next_since(profile), now)
    reading.collect()
    _sessions(job, profile, connector)
    with transaction.atomic():
        coverage.add(profile, reading.since, reading.began, run_id=job.run.pk)
        IntegrationProfile.objects.filter(pk=profile.pk).update(activity_refreshed_at=now)
        job.progress(facts=reading.facts, step="Covered")


def _ask_plan(job: Job, profile: IntegrationProfile, connector: base.Connector) -> None:
    told = connector.file_events()
    IntegrationProfile.objects.filter(pk=profile.pk).update(file_events=told)
    if told is False:
        job.warn("This plan records no file events: people who only sync files look idle unless a device tells.")


@dataclass(frozen=True)
class _Batch:
    """Pages folded but not yet stored."""

    uses: base.Uses
    pages: int
    cursor: str


def _batches(pages: Iterator[base.ActivityPage]) -> Iterator[_Batch]:
    """Pages as batches. What was read before the vendor asks to wait is handed over first: the run comes back later,
    and a vendor who lets few pages pass at a time would otherwise stop it for ever."""
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
    """One pass over the vendor's log. What a successor needs is in the run's row after every batch."""

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
    def number(self) -> int:
        return int(str(self.facts["reading"]))

    def resume(self, now: datetime) -> bool:
        """Whether a reading that broke off, in this run or the one before, can be gone on with."""
        for run in (self.run, self._broken()):
            if run and run.cursor and run.cursor_at and now - run.cursor_at < CURSOR_LIFE and "reading" in run.facts:
                self.facts = dict(run.facts)
                self.job.progress(cursor=run.cursor, facts=self.facts, step="Going on")
                return True
        return False

    def _broken(self) -> JobRun | None:
        """The profile's last pull, if it did not come to its end."""
        last = self.profile.runs.filter(process=base.ACTIVITY, pk__lt=self.run.pk).order_by("-pk").first()
        return last if last and last.state in (JobRun.State.FAILED, JobRun.State.CANCELED) else None

    def start(self, since: datetime, now: datetime) -> None:
        """From the first page. The vendor's clock counts, so `began` is a moment it had surely reached."""
        skew = timedelta(seconds=max(0.0, -(self.connector.counters.clock_skew or 0.0)))
        began = now.astimezone(UTC) - skew
        self.facts = {"since": since.isoformat(), "began": began.isoformat(), "reading": self.run.pk}
        self.job.progress(cursor="", facts=self.facts, step=f"Reading events since {since:%d %b %Y}")

    def collect(self) -> None:
        """Read to the last page; a log the vendor cannot go on with is read again, a bounded number of times."""
        while True:
            try:
                return self._read()
            except base.ListingReset:
                if self.restarts == MOST_RESTARTS:
                    raise
                self.restarts += 1
                self.job.warn("The vendor could not go on with its log; it is read again from the first page.")
                with transaction.atomic():
                    activity.forget_reading(self.profile, self.number)
                    self.facts["reading"] = self.run.pk
                    self.job.progress(cursor="", facts=self.facts, counters={})

    def _read(self) -> None:
        """Three at work: one fetches and decodes pages, one folds them to batches, this one stores the batches."""
        pages = read_ahead.read(self.connector.activity(self.since, self.run.cursor), depth=PAGES_AHEAD)
        for batch in read_ahead.read(_batches(pages), depth=BATCHES_AHEAD, idle=self.job.fence):
            self._note(batch)
            self._commit(batch)

    def _note(self, batch: _Batch) -> None:
        for kind in sorted(batch.uses.unknown_kinds):
            if kind not in self.unknown and len(self.unknown) < MOST_UNKNOWN_NAMED:
                self.unknown.add(kind)
                self.job.warn(f"Unknown kind of event, counted as use to be safe: {kind}")

    def _commit(self, batch: _Batch) -> None:
        with transaction.atomic():
            stored = activity.store(
                self.profile,
                batch.uses,
                run_id=self.run.pk,
                reading=self.number,
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


def _sessions(job: Job, profile: IntegrationProfile, connector: base.Connector) -> None:
    """Where the grant allows; a vendor in trouble here does not spoil what was read before."""
    scope = profile.vendor_info.session_scope
    credential = profile.alias.credentials.filter(purpose=base.SUBSCRIPTIONS).first()
    if not scope or credential is None or scope not in credential.granted_scopes:
        return
    restarts = 0
    while True:
        try:
            return _look_at_sessions(job, profile, connector)
        except (base.MissingScope, base.Refused, base.TryLater, base.ProtocolError, base.ListingReset) as error:
            if isinstance(error, base.ListingReset) and restarts < MOST_RESTARTS:
                restarts += 1
                continue
            job.warn(f"Device sessions could not be read: {error}")
            return None


def _look_at_sessions(job: Job, profile: IntegrationProfile, connector: base.Connector) -> None:
    odd = 0
    for page in connector.sessions():
        page.fold(into := base.Uses())
        odd += into.counters["set_aside"]
        with transaction.atomic():
            activity.store(profile, into, run_id=job.run.pk, reading=0, signal=LastActivity.Signal.SESSION)
            job.progress(step="Looking at device sessions")
    if odd:
        job.warn(f"Device sessions of {odd:,} members could not be read; those of the others count.")
