"""Download every software subscription of a profile.

1. Ask the vendor whose tenant the token opens and how many accounts it counts; another tenant stops here.
2. Go on where a lost worker stopped, if its staging table is whole and its cursor young; else start an empty one.
3. Stream the pages into staging; every batch commits together with its cursor and its progress.
4. Publish the whole list in one transaction, and end the seats that are gone if the listing is plausible.
5. Drop the staging table. What was withheld is held for a person.

An error leaves the seats as they were. A staging table left behind is swept away once its run is over.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from django.db import transaction

from profiles.connectors import base
from profiles.jobs.job import Held, Job, LeaseLost
from profiles.models import IntegrationProfile
from subscriptions.download import publish, staging

CURSOR_LIFE = timedelta(hours=1)
BATCH_RECORDS = 5000
BATCH_SECONDS = 2.0
MOST_RESTARTS = 2
MOST_NOTED = 50


def run(job: Job, *, now: datetime) -> None:
    """Raises `base.ConnectorError`, `django.db.Error`, or `Held` after publishing what is safe."""
    connector = job.connector()
    team = _team(job, connector, now)
    listing = _Listing(job, connector)
    if not listing.resume(now):
        listing.start()
    listing.collect()
    outcome = publish.run(
        job, team, set_aside=listing.counters["set_aside"], unreadable=listing.counters["unreadable"], now=now
    )
    staging.drop(job.run.pk)
    if outcome.withheld_because:
        raise Held(outcome.withheld_because)


def _team(job: Job, connector: base.Connector, now: datetime) -> base.Team:
    """Store the vendor's own counts; they show and warn even if the listing fails."""
    team, profile = connector.team(), job.run.profile
    if profile is None:
        raise LeaseLost("The profile is gone.")
    if team.team_id != profile.team_id:
        raise base.Refused(
            f"The token opens the team {team.name or team.team_id}, but this profile belongs to "
            f"{profile.team_name or profile.team_id or 'no team yet'}. Nothing was changed.",
            remedy="Press Get OAuth Token and approve the access as an admin of this profile's own team.",
        )
    with transaction.atomic():
        IntegrationProfile.objects.filter(pk=profile.pk).update(
            licenses_reported=team.licensed,
            seats_provisioned_reported=team.provisioned,
            seats_used_reported=team.used,
            reported_at=now,
        )
        job.progress(expected=team.provisioned, step="Listing")
    return team


@dataclass
class _Batch:
    """Pages read but not yet committed."""

    seats: list[base.Seat] = field(default_factory=list)
    set_aside: list[base.SetAside] = field(default_factory=list)
    pages: int = 0
    cursor: str = ""
    previous_cursor: str | None = None
    since: float = field(default_factory=time.monotonic)

    def add(self, page: base.Page) -> None:
        self.seats.extend(page.items)
        self.set_aside.extend(page.set_aside)
        self.pages += 1
        self.previous_cursor, self.cursor = self.cursor, page.cursor

    @property
    def is_full(self) -> bool:
        records = len(self.seats) + len(self.set_aside)
        return records >= BATCH_RECORDS or time.monotonic() - self.since >= BATCH_SECONDS


class _Listing:
    """The pages of one run on their way into staging. What a successor needs is in the run's row after every batch."""

    def __init__(self, job: Job, connector: base.Connector) -> None:
        self.job, self.run, self.connector = job, job.run, connector
        self.counters: dict[str, int] = {}
        self.restarts = 0
        self.began, self.began_at_items = time.monotonic(), 0

    def resume(self, now: datetime) -> bool:
        """Whether an earlier worker's pages can be built on."""
        run = self.run
        if not run.cursor_at or now - run.cursor_at > CURSOR_LIFE or staging.count(run.pk) != run.items:
            return False
        self.counters = dict(run.counters)
        self.began_at_items = run.items
        return bool(run.cursor or self.is_whole)

    @property
    def is_whole(self) -> bool:
        return bool(self.counters.get("last_page"))

    def start(self) -> None:
        """From the first page, with an empty staging table."""
        self.counters = {"set_aside": 0, "unreadable": 0}
        self.began_at_items = 0
        with transaction.atomic():
            staging.create(self.run.pk)
            self.job.progress(cursor="", pages=0, items=0, counters=self.counters, step="Listing")

    def collect(self) -> None:
        """Read to the last page. A listing the vendor forgot starts again, a bounded number of times."""
        while not self.is_whole:
            try:
                self._read(self.connector.seats(self.run.cursor))
            except base.ListingReset:
                if self.restarts == MOST_RESTARTS:
                    raise
                self.restarts += 1
                self.job.warn("The vendor could not go on with its listing; it started again from the first page.")
                self.start()

    def _read(self, pages: Iterator[base.Page]) -> None:
        batch = _Batch(cursor=self.run.cursor)
        try:
            for page in pages:
                batch.add(page)
                if not page.has_more:
                    self.counters["last_page"] = 1
                    break
                self._guard(batch)
                if batch.is_full:
                    self._commit(batch)
                    batch = _Batch(cursor=self.run.cursor)
        except base.Throttled:
            # The run comes back later; without this a vendor who lets few pages pass at a time would stop it for ever.
            self._commit(batch)
            raise
        self._commit(batch)
        if not self.is_whole:
            raise base.ProtocolError("The vendor's listing stopped although it said that there was more.")

    def _guard(self, batch: _Batch) -> None:
        """A listing that does not move on, or grows beyond twice what anybody counts, would never end."""
        expected = self.run.expected_items
        listed = self.run.items + len(batch.seats)
        if batch.cursor in ("", batch.previous_cursor) or (expected and listed > 2 * expected + BATCH_RECORDS):
            raise base.ProtocolError(
                f"The vendor's listing goes round in circles: {listed:,} accounts and still more to come."
            )

    def _commit(self, batch: _Batch) -> None:
        """The batch, its cursor and its progress, together; a worker that lost its lease undoes its batch."""
        if not batch.pages:
            return
        with transaction.atomic():
            self._note(batch.set_aside)
            added = staging.add(self.run.pk, batch.seats, batch.set_aside, start=self.run.items)
            items = self.run.items + added
            self.job.progress(
                cursor=batch.cursor,
                pages=self.run.pages + batch.pages,
                items=items,
                step=self._step(items),
                counters=self.counters,
            )

    def _note(self, set_aside: list[base.SetAside]) -> None:
        for record in set_aside:
            if self.counters["set_aside"] < MOST_NOTED:
                self.job.warn(f"Set aside {record.external_id or 'a record without an id'}: {record.reason}")
            self.counters["set_aside"] += 1
            self.counters["unreadable"] += not record.external_id

    def _step(self, items: int) -> str:
        rate = (items - self.began_at_items) / max(time.monotonic() - self.began, 0.001)
        of = f" of about {self.run.expected_items:,}" if self.run.expected_items else ""
        return f"Listing: {items:,}{of} accounts, {rate:,.0f} a second"
