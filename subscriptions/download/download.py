"""Download every software subscription of a profile.

1. Ask the vendor which tenant the token opens and how many accounts it counts. If it is another tenant, stop.
2. If an earlier worker of this run was lost, continue where it stopped, provided that its staging table is complete, of
   the same tenant, and its cursor recent. Otherwise start with an empty staging table.
3. Stream the pages into staging. Every batch commits together with its cursor and its progress.
4. Ask for tenant and count again: accounts join and leave while a list is read.
5. Publish the whole list in one transaction. Seats that are no longer listed end, if the listing is plausible.
6. Drop the staging table. If endings were withheld, the run is held until a person confirms them.

An error leaves the seats unchanged. The beat drops a staging table that is left behind when its run is over.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from django.db import transaction

from profiles.connection.team import check_team
from profiles.connectors import base
from profiles.jobs.job import Held, Job, LeaseLost
from profiles.models import IntegrationProfile
from samsaas.lib import sql
from subscriptions.download import publish, staging
from subscriptions.models import AcceptedListing

CURSOR_LIFE = timedelta(hours=1)
BATCH_RECORDS = 5000
BATCH_SECONDS = 2.0
MOST_RESTARTS = 2
MOST_NOTED = 50
BEGAN = "listing_began"  # the fact of a run: when its listing began, by the database's clock


def run(job: Job, *, now: datetime) -> None:
    """Raises `base.ConnectorError`, `django.db.Error`, or, after publishing everything but the endings, `Held`."""
    connector = job.connector()
    team = _store_team_counts(job, connector, now)
    reader = _Listing(job, connector, team)
    if not reader.try_to_resume(now):
        reader.start_listing()
    reader.read_to_end()
    outcome = publish.run(job, reader.as_listing(_ask_for_team(job, connector)), now=now)
    staging.drop_table(job.run.pk)
    if outcome.withheld_because:
        raise Held(outcome.withheld_because)


def _ask_for_team(job: Job, connector: base.Connector) -> base.Team:
    """The tenant behind the token and its counts. Raises `base.Refused` for another tenant than the profile's."""
    team, profile = connector.team(), job.run.profile
    if profile is None:
        raise LeaseLost("The profile is gone.")
    check_team(profile, team)
    return team


def _store_team_counts(job: Job, connector: base.Connector, now: datetime) -> base.Team:
    """Store the vendor's own counts, so that they are shown even if the listing fails. Raises `base.Refused`."""
    team = _ask_for_team(job, connector)
    with transaction.atomic():
        IntegrationProfile.objects.filter(runs=job.run.pk, team_id=team.team_id).update(
            licenses_reported=team.licensed,
            seats_provisioned_reported=team.provisioned,
            seats_used_reported=team.used,
            reported_at=now,
        )
        job.progress(expected=_expected_accounts(job, team), step="Listing")
    return team


def _expected_accounts(job: Job, team: base.Team) -> int | None:
    """How many accounts will be listed: the vendor's own count, and those that it left out the last time."""
    if not team.provisioned:
        return None
    last = AcceptedListing.objects.filter(profile=job.run.profile_id, team_id=team.team_id).first()
    return max(0, team.provisioned + (last.listed - last.counted if last and last.counted else 0))


@dataclass
class _Batch:
    """Pages that are read but not committed yet."""

    seats: list[base.Seat] = field(default_factory=list)
    set_aside: list[base.SetAside] = field(default_factory=list)
    pages: int = 0
    cursor: str = ""
    previous_cursor: str | None = None
    since: float = field(default_factory=time.monotonic)

    def add_page(self, page: base.Page) -> None:
        self.seats.extend(page.items)
        self.set_aside.extend(page.set_aside)
        self.pages += 1
        self.previous_cursor, self.cursor = self.cursor, page.cursor

    @property
    def is_full(self) -> bool:
        records = len(self.seats) + len(self.set_aside)
        return records >= BATCH_RECORDS or time.monotonic() - self.since >= BATCH_SECONDS


class _Listing:
    """Reads the pages of one run into staging. After every batch the run's row holds all that another worker needs."""

    def __init__(self, job: Job, connector: base.Connector, team: base.Team) -> None:
        self.job, self.run, self.connector, self.team = job, job.run, connector, team
        self.counters: dict[str, int] = {}
        self.restarts = 0
        self.began, self.began_at_items = time.monotonic(), 0

    def try_to_resume(self, now: datetime) -> bool:
        """Continue with the pages that an earlier worker of this run has stored. False if they cannot be used.

        The profile may have been moved to another team since.
        """
        run = self.run
        if run.facts.get("team") != self.team.team_id or BEGAN not in run.facts:
            return False
        if not run.cursor_at or now - run.cursor_at > CURSOR_LIFE or staging.count_rows(run.pk) != run.items:
            return False
        self.counters = dict(run.counters)
        self.began_at_items = run.items
        return bool(run.cursor or self.is_whole)

    @property
    def is_whole(self) -> bool:
        return bool(self.counters.get("last_page"))

    def start_listing(self) -> None:
        """Begin at the first page, with an empty staging table."""
        self.counters = {"set_aside": 0, "unreadable": 0}
        if self.team.provisioned:
            self.counters["counted"] = self.team.provisioned
        self.began_at_items = 0
        facts = {**self.run.facts, "team": self.team.team_id, BEGAN: sql.database_now().isoformat()}
        with transaction.atomic():
            staging.create_table(self.run.pk)
            self.job.progress(cursor="", pages=0, items=0, counters=self.counters, facts=facts, step="Listing")

    def as_listing(self, team: base.Team) -> publish.Listing:
        """What was read, with the vendor's answer on its tenant after the last page."""
        return publish.Listing(
            began=datetime.fromisoformat(self.run.facts[BEGAN]),
            team=team,
            counted_before=self.counters.get("counted"),
            set_aside=self.counters["set_aside"],
            unreadable=self.counters["unreadable"],
        )

    def read_to_end(self) -> None:
        """Read to the last page. If the vendor forgets the listing, start it again, `MOST_RESTARTS` times."""
        while not self.is_whole:
            try:
                self._read_pages(self.connector.seats(self.run.cursor))
            except base.ListingReset:
                if self.restarts == MOST_RESTARTS:
                    raise
                self.restarts += 1
                self.job.warn("The vendor could not continue its listing. It was started again from the first page.")
                self.start_listing()

    def _read_pages(self, pages: Iterator[base.Page]) -> None:
        batch = _Batch(cursor=self.run.cursor)
        try:
            for page in pages:
                batch.add_page(page)
                if not page.has_more:
                    self.counters["last_page"] = 1
                    break
                self._check_progress(batch)
                if batch.is_full:
                    self._store_batch(batch)
                    batch = _Batch(cursor=self.run.cursor)
        except base.Throttled:
            # Otherwise a vendor that allows only a few pages at a time would keep the run from ever making progress.
            self._store_batch(batch)
            raise
        self._store_batch(batch)
        if not self.is_whole:
            raise base.ProtocolError("The vendor's listing stopped although the vendor said that there was more.")

    def _check_progress(self, batch: _Batch) -> None:
        """Raise ProtocolError for a listing that would never end: its cursor stands still, or it is far too long."""
        expected = self.run.expected_items
        listed = self.run.items + len(batch.seats)
        if batch.cursor in ("", batch.previous_cursor) or (expected and listed > 2 * expected + BATCH_RECORDS):
            raise base.ProtocolError(
                f"The vendor's listing goes round in circles: {listed:,} accounts so far, and still more to come."
            )

    def _store_batch(self, batch: _Batch) -> None:
        """Commit the batch with its cursor and its progress. If the worker has lost its lease, nothing is stored."""
        if not batch.pages:
            return
        with transaction.atomic():
            self._warn_of_skipped(batch.set_aside)
            added = staging.append_batch(self.run.pk, batch.seats, batch.set_aside, start=self.run.items)
            items = self.run.items + added
            self.job.progress(
                cursor=batch.cursor,
                pages=self.run.pages + batch.pages,
                items=items,
                step=self._progress_text(items),
                counters=self.counters,
            )

    def _warn_of_skipped(self, set_aside: list[base.SetAside]) -> None:
        for record in set_aside:
            if self.counters["set_aside"] < MOST_NOTED:
                self.job.warn(f"Skipped {record.external_id or 'a record without an id'}: {record.reason}")
            self.counters["set_aside"] += 1
            self.counters["unreadable"] += not record.external_id

    def _progress_text(self, items: int) -> str:
        rate = (items - self.began_at_items) / max(time.monotonic() - self.began, 0.001)
        expected = f" of about {self.run.expected_items:,}" if self.run.is_total_known else ""
        return f"Listing: {items:,}{expected} accounts, {rate:,.0f} per second"
