"""One pass over the vendor's log, page by page.

1. Fold the pages, which are fetched ahead, into one row per account and day. The events themselves are not kept.
2. Store each batch together with its cursor and its counters. After a crash at most one batch is read again. That does
   no harm: the latest activity only moves forward, and a reading replaces the day counts of an earlier one.

After every batch the run's row holds all that another worker needs to continue. A pass belongs to one team: its cursor
and what it found so far are of no use for another.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

from django.db import transaction

from profiles.connectors import base
from profiles.jobs.job import Job
from profiles.models import IntegrationProfile, JobRun
from samsaas.lib import read_ahead, sql
from subscriptions.activity import store as activity
from subscriptions.activity.coverage import intervals
from subscriptions.models import LastActivity

CURSOR_LIFE = timedelta(days=2)
BATCH_USES = 100_000
BATCH_SECONDS = 15.0
BATCHES_AHEAD = 1
PAGES_AHEAD = 2
MOST_RESTARTS = 2
MOST_UNKNOWN_NAMED = 20
NOTHING_YET: dict[str, object] = {"by_day": {}, "beside": {}, "totals": {}, "last_use": None, "last_page": []}
WANTED = "wanted_since"  # the fact of a run for which a person chose where to begin


@dataclass(frozen=True)
class _Batch:
    """Pages that are folded but not stored yet."""

    uses: base.Uses
    pages: int
    cursor: str
    last_page: list[str]  # the marks of its events, for another worker


def _fold_pages(pages: Iterator[base.ActivityPage], repeats: base.Repeats) -> Iterator[_Batch]:
    """Fold pages into batches.

    When the vendor throttles, the pages read so far are handed over first. Otherwise a vendor that allows only a few
    pages at a time would keep the run from ever making progress.
    """
    into, number, cursor, since = base.Uses(repeats), 0, "", time.monotonic()
    try:
        for page in pages:
            page.fold(into)
            number, cursor = number + 1, page.cursor
            if len(into) >= BATCH_USES or time.monotonic() - since >= BATCH_SECONDS:
                yield _Batch(into, number, cursor, repeats.lasting())
                into, number, since = base.Uses(repeats), 0, time.monotonic()
    except base.Throttled:
        if number:
            yield _Batch(into, number, cursor, repeats.lasting())
        raise
    if number:
        yield _Batch(into, number, cursor, repeats.lasting())


class LogReading:
    """One pass over the vendor's log, with what it found."""

    process = base.ACTIVITY

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
        """The end of the time that is read, in the vendor's time: a moment that its clock has surely reached."""
        return datetime.fromisoformat(str(self.facts["began"]))

    @property
    def until(self) -> datetime | None:
        """The moment before which the vendor is asked for events; None for all there are."""
        return None

    @property
    def started(self) -> datetime:
        """When the reading began, by the database's clock."""
        return datetime.fromisoformat(str(self.facts["started"]))

    @property
    def team_id(self) -> str:
        return str(self.facts["team"])

    @property
    def reading_id(self) -> int:
        return int(str(self.facts["reading"]))

    @property
    def by_day(self) -> dict[date, int]:
        """How many events of use each UTC day holds."""
        return {date.fromisoformat(day): events for day, events in self._held("by_day").items()}

    def count_beside(self, first: date) -> Counter[str]:
        """What could be a member's and is no known use, by its counter, since a day or on a day that is not known."""
        found: Counter[str] = Counter()
        for name, days in self._held_beside().items():
            found[name] = sum(n for day, n in days.items() if int(day) == 0 or int(day) >= first.toordinal())
        return found

    def _held_beside(self) -> dict[str, dict[str, int]]:
        held: dict[str, dict[str, int]] = self.facts.get("beside", {})  # type: ignore[assignment]
        return held

    @property
    def totals(self) -> Counter[str]:
        """What was read since the first page, by whatever run."""
        return Counter(self._held("totals"))

    @property
    def last_use(self) -> datetime | None:
        found = self.facts.get("last_use")
        return datetime.fromisoformat(str(found)) if found else None

    def _last_page(self) -> list[str]:
        """The marks of the events on the last page that was stored, by whatever worker."""
        found: list[str] = self.facts.get("last_page", [])  # type: ignore[assignment]
        return found

    def _held(self, fact: str) -> dict[str, int]:
        found: dict[str, int] = self.facts[fact]  # type: ignore[assignment]
        return found

    def try_to_resume(self, now: datetime) -> bool:
        """Continue an interrupted reading of this run or of the run before. False if there is none to continue.

        The cursor stays as old as it is until a page after it was stored. Otherwise one that the vendor can no longer
        continue would be tried again for ever. Where a person chose from when to read, another run's reading is not
        continued.
        """
        for run in (self.run, self._unfinished_pull()):
            if run and run.cursor and run.cursor_at and now - run.cursor_at < CURSOR_LIFE and self._is_ours(run):
                self.facts = {**dict(self.run.facts), **dict(run.facts)}
                self.job.progress(cursor=run.cursor, cursor_at=run.cursor_at, facts=self.facts, step="Continuing")
                return True
        return False

    def _is_ours(self, run: JobRun) -> bool:
        """Whether a run's reading is of the same team, and of this version."""
        return run.facts.get("team") == self.profile.team_id and "totals" in run.facts

    def _unfinished_pull(self) -> JobRun | None:
        """The profile's last pull, if it failed or was canceled, and nobody chose from when this one reads."""
        return None if WANTED in self.run.facts else self._last_unfinished()

    def _last_unfinished(self) -> JobRun | None:
        last = self.profile.runs.filter(process=self.process, pk__lt=self.run.pk).order_by("-pk").first()
        return last if last and last.state in (JobRun.State.FAILED, JobRun.State.CANCELED) else None

    def start_reading(self, now: datetime) -> None:
        """Begin at the first page, where the coverage asks for it, or earlier if a person chose an earlier day.

        The profile is locked for a moment: a list of seats that is being published now is either known to this reading
        from its first page on, or published after `started`.
        """
        skew = timedelta(seconds=max(0.0, -(self.connector.counters.clock_skew or 0.0)))
        started = self._lock_profile()
        since = intervals.next_since(self.profile, now)
        if wanted := self.run.facts.get(WANTED):
            since = min(since, intervals.midnight_of(datetime.fromisoformat(wanted)))
        self._start(since, now.astimezone(UTC) - skew, started)

    def _lock_profile(self) -> datetime:
        """Read the profile anew under a lock, and return the moment by the database's clock."""
        with transaction.atomic():
            profiles = IntegrationProfile.objects.select_for_update(no_key=True, of=("self",))
            self.profile = profiles.get(pk=self.profile.pk)
            return sql.database_now()

    def _start(self, since: datetime, began: datetime, started: datetime) -> None:
        counted_before = self.run.facts.get("reading") == self.run.pk
        self.facts = {
            **self.run.facts,
            "since": since.isoformat(),
            "began": began.isoformat(),
            "started": started.isoformat(),
            "team": self.profile.team_id,
            "reading": self.run.pk,
            **NOTHING_YET,
        }
        with transaction.atomic():
            if counted_before:  # an earlier worker of this run was lost so long ago that its cursor is of no use
                activity.forget_reading(self.profile, self.run.pk)
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
                    self.facts |= {"reading": self.run.pk, **NOTHING_YET}
                    self.job.progress(cursor="", facts=self.facts, counters={})

    def _store_all_batches(self) -> None:
        """Three threads work: one fetches and decodes pages, one folds them into batches, this one stores them."""
        events = self.connector.activity(self.since, self.run.cursor, until=self.until)
        pages = read_ahead.read(events, depth=PAGES_AHEAD)
        repeats = base.Repeats(earlier=self._last_page())
        for batch in read_ahead.read(_fold_pages(pages, repeats), depth=BATCHES_AHEAD, idle=self.job.fence):
            self._warn_of_unknown(batch.uses)
            self._store_batch(batch)
            self._make_way()

    def _make_way(self) -> None:
        """Called after each stored batch. A reading that is not urgent raises `MakeWay` here."""

    def _warn_of_unknown(self, uses: base.Uses) -> None:
        warnings = [(kind, "kind of event, counted as use to be safe") for kind in sorted(uses.unknown_kinds)]
        warnings += [
            (actor, "kind of actor, whose events may be somebody’s use") for actor in sorted(uses.unknown_actors)
        ]
        for name, what in warnings:
            if name not in self.unknown and len(self.unknown) < MOST_UNKNOWN_NAMED:
                self.unknown.add(name)
                self.job.warn(f"Unknown {what}: {name}")

    def _store_batch(self, batch: _Batch) -> None:
        with transaction.atomic():
            # A list that is being published gives names to seats. Either it sees which names lead to nobody here, or
            # this batch sees the seats with their new names.
            list(IntegrationProfile.objects.select_for_update(no_key=True, of=("self",)).filter(pk=self.profile.pk))
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
            self._add_up(batch.uses)
            self.facts["last_page"] = batch.last_page
            self.job.progress(
                cursor=batch.cursor,
                pages=self.run.pages + batch.pages,
                items=counters["read"],
                counters=dict(counters),
                facts=self.facts,
                step=f"Reading events: {counters['read']:,} so far",
            )

    def _add_up(self, uses: base.Uses) -> None:
        """Add a batch to what was read since the first page."""
        days = Counter({day.isoformat(): events for day, events in uses.events_by_day().items()})
        latest = max(filter(None, (self.last_use, uses.latest())), default=None)
        beside = {name: Counter(held) for name, held in self._held_beside().items()}
        for (day, name), events in uses.beside.items():
            beside.setdefault(name, Counter())[str(day)] += events
        self.facts |= {
            "by_day": dict(Counter(self._held("by_day")) + days),
            "beside": {name: dict(held) for name, held in beside.items()},
            "totals": dict(self.totals + uses.counters),
            "last_use": latest.isoformat() if latest else None,
        }
