"""One world from a seed: a profile is connected to a team, and for weeks everything happens that can happen.

After each refresh the product is compared with ledger and truth. The story ends with two healthy refreshes, after which
everything has to be covered.
"""

from __future__ import annotations

import random
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

from django.db.models import F
from django.test import Client
from django.utils import timezone

from profiles import tasks
from profiles.connectors import base
from profiles.jobs import queue
from profiles.jobs.job import Job
from profiles.models import IntegrationProfile, JobRun
from samsaas import schedule
from subscriptions.activity import read_again
from subscriptions.activity.coverage import intervals
from tests import clock, worlds
from tests.proofs.twin import stage
from tests.proofs.twin.claims import Claims
from tests.proofs.twin.faults import Killed, Plan
from tests.proofs.twin.findings import Findings
from tests.proofs.twin.ledger import Ledger
from tests.proofs.twin.spoiling import Judge
from tests.proofs.twin.truth import DAY, Team
from tests.proofs.twin.vendor import Vendor

LIST_ENDS_EARLY = ("list truncated", "odd members", "counts move")
MOST_TURNS = 80


class Story:
    """`lines` tell what happened, for whoever plays the world again."""

    def __init__(self, seed: int, user: Any) -> None:
        self.rng = random.Random(seed)
        self.user = user
        self.findings = Findings(worlds=1)
        self.lines: list[str] = [f"seed {seed}"]
        start = datetime(2027, 1, 5, tzinfo=UTC) + timedelta(seconds=self.rng.randrange(300 * 86400))
        self.journey = clock.Journey(start)
        self.skew = timedelta(seconds=self.rng.choice((0, 0, 0, -600, 900)))
        self.began = start - DAY * self.rng.choice((15, 30, 45, 62))
        sizes = (range(3, 9), range(9, 20), range(24, 36))
        first = self.rng.choices(sizes, (3, 2, 4))[0]
        self.teams = [
            Team(name, self.rng.choice(size), self.rng, self.began)
            for name, size in (("Ash", first), ("Oak", sizes[0]))
        ]
        if self.rng.random() < 0.3:
            since = start + DAY * self.rng.uniform(-12, 5)
            self.teams[0].quiet = (since, since + DAY * 9)
        self.teams[0].always_late = self.rng.random() < 0.1
        every_page = self.rng.random() < 0.6
        self.ledger = Ledger(self.vendor_now, every_page=every_page)
        self.vendor = Vendor(self.teams, self.vendor_now, self.rng, self.ledger)
        self.judge = Judge(self.vendor_now)
        self.plan = Plan(self.vendor, self.rng, self.judge)
        self.sizes = {
            "profiles.connectors.dropbox.connector.EVENTS_A_PAGE": self.rng.choice((7, 40, 150)),
            "subscriptions.activity.reading.BATCH_USES": 1 if every_page else 100_000,
            "subscriptions.download.download.BATCH_RECORDS": self.rng.choice((1, 5000)),
        }

    def vendor_now(self) -> datetime:
        return timezone.now() + self.skew

    def tell(self, line: str) -> None:
        self.lines.append(f"{timezone.now():%d %b %H:%M} {line}")

    def pass_time(self, span: timedelta, changes: int = 0) -> None:
        """The clock goes on, and with it the teams, also while a refresh is at work."""
        self.journey.destination = timezone.now() + span
        self.journey.again()
        for team in self.teams:
            for happened in team.live(self.vendor_now(), changes):
                self.tell(f"  {happened}")

    def _wait(self, job: Job, seconds: float) -> None:
        job.fence()
        self.pass_time(timedelta(seconds=seconds))

    def _kill_while_storing(self, job: Job, changes: dict[str, Any]) -> None:
        if self.plan.kill_while_storing and job.run.process == base.ACTIVITY and changes.get("cursor"):
            raise Killed

    # The acts of people.

    def connect(self, team: Team, **chosen: str) -> None:
        """Press Get OAuth Token, allow it as the team's admin, and come back."""
        self.vendor.chosen, self.vendor.faults = team, None
        client = Client()  # a session of weeks ago has ended
        client.force_login(self.user)
        url = worlds.press(client, self.profile, **chosen)
        asked = {name: values[0] for name, values in parse_qs(urlsplit(url).query).items()}
        self.vendor.scopes = asked["scope"]
        before = self.profile.team_id
        back = client.get("/oauth_redirect.do", {"state": asked["state"], "code": self.vendor.consent()})
        assert back.status_code in (302, 303), back.content
        self.profile.refresh_from_db()
        assert self.profile.team_id == team.team_id, back["Location"]
        if team.team_id != before:
            self.ledger.epoch += 1
        self.vendor.faults = self.plan
        self.tell(f"connected to {team.name}")

    def begin(self) -> None:
        for team in self.teams:
            team.live(self.vendor_now(), changes=4)
        self.vendor.files_recorded = self.rng.random() < 0.9
        self.profile = worlds.draft_profile(reclaim=False)
        self.profile.analyze_activity_from = self._fit(timezone.now() - DAY * self.rng.choice((7, 20, 40, 60)))
        self.profile.save()
        alias = self.profile.alias
        alias.page_size, alias.attempts = self.rng.choice((4, 9, 50)), 3
        alias.save()
        self.claims = Claims(self.profile, self.ledger, self.judge, self.findings)
        if not self.vendor.files_recorded:
            self.claims.unrecorded = ("file_add", "file_edit")
        self.connect(self.teams[0], **({"sessions": "1"} if self.rng.random() < 0.4 else {}))
        self.plan.draw(0)
        self.tell(
            f"{[len(team.listed()) for team in self.teams]} people, analyzed since "
            f"{self.profile.analyze_activity_from:%d %b}, clock {self.skew}, {self.sizes}"
        )
        self.work()

    def play(self) -> Findings:
        with stage.setting(self.journey, self.sizes, self.vendor.answer, self._wait, self._kill_while_storing):
            self.begin()
            self.check()
            for _ in range(self.rng.randint(3, 7)):
                self.go_on(troubles=self.rng.choice((0, 0, 1, 1, 2, 3, 5)))
                self.check()
            self.end_well()
        self._count()
        return self.findings

    def fail(self, error: Exception) -> Findings:
        """What a world that went wrong came to, with its story."""
        self._count()
        self.findings.failed = str(error) if self.findings.wrong else "\n".join([*self.lines, repr(error)])
        return self.findings

    def _count(self) -> None:
        self.findings.met, self.findings.unnoticed = self.plan.met, self.judge.unnoticed

    def go_on(self, troubles: int) -> None:
        """A day or several go by, people act, and the product refreshes."""
        self.pass_time(DAY * self.rng.choice((0.3, 1, 1, 1, 1, 1, 2, 4, 9)), changes=self.rng.choice((0, 1, 2)))
        for trouble in self.plan.draw(troubles):
            self.tell(f"  planned: {trouble}")
        luck = self.rng.random()
        if luck < 0.07:
            other = next(team for team in self.teams if team.team_id != self.profile.team_id)
            self.connect(other, replace_team="1")
        elif luck < 0.14:
            since = timezone.now() - DAY * self.rng.uniform(1, 40)
            self.mend_grant()
            self.tell(
                f"somebody has the log read again from {since:%d %b}: "
                f"{read_again.run(self.profile, since.date(), by=self.user)}"
            )
        elif luck < 0.18:
            earlier = DAY * self.rng.choice((-5, 5, 20))
            self.profile.analyze_activity_from = self._fit(self.profile.analyze_activity_from - earlier)
            self.profile.save(update_fields=["analyze_activity_from"])
            self.tell(f"analyzed from {self.profile.analyze_activity_from} on")
        elif luck < 0.26:
            self.read_log_first()
        self.refresh()

    def read_log_first(self) -> None:
        """For days only the log is read, while people are renamed: it says names that no list has told yet."""
        self.pass_time(DAY * self.rng.choice((5, 9)), changes=6)
        self.mend_grant()
        self.tell("only the log is read")
        queue.request(queue.Request(base.ACTIVITY, JobRun.Trigger.MANUAL, profile=self.profile))
        self.work()

    def _fit(self, moment: datetime) -> datetime:
        """A start of the analysis at which there was life already: a silence before is not covered, as documented."""
        return max(moment, self.began + DAY)

    def refresh(self) -> None:
        """The day's refresh, and what people do when it asks for them."""
        self.findings.refreshes += 1
        self.mend_grant()
        queue.request(queue.Request(base.DOWNLOAD, JobRun.Trigger.SCHEDULE, profile=self.profile, in_chain=True))
        self.work()
        if self.plan.had(*LIST_ENDS_EARLY):
            return
        last = self.profile.runs.filter(process=base.DOWNLOAD).order_by("-pk").first()
        if last and last.state == JobRun.State.HELD:
            self.tell("somebody confirms that they have gone")
            self.mend_grant()
            asked = queue.Request(
                base.DOWNLOAD, JobRun.Trigger.MANUAL, profile=self.profile, in_chain=True, accept_drop=True
            )
            queue.request(asked)
            self.work()

    def mend_grant(self) -> None:
        credential = self.profile.alias.credentials.get(purpose=base.SUBSCRIPTIONS)
        if not credential.is_connected:
            self.connect(next(team for team in self.teams if team.team_id == self.profile.team_id))

    # The workers.

    def work(self) -> None:
        """Workers take what is due until nothing is left; time goes on to what waits."""
        for _ in range(MOST_TURNS):
            if run := self._next_run() or (self._tick() and self._next_run()):
                if run.not_before and run.not_before > timezone.now():
                    self.pass_time(run.not_before - timezone.now() + timedelta(seconds=1))
                self.execute(run)
            elif JobRun.objects.filter(state=JobRun.State.RUNNING).exists():
                self.pass_time(self.rng.choice((timedelta(seconds=65), timedelta(hours=30), DAY * 2.5)))
            else:
                return
        raise AssertionError("The work never ends.")

    def _tick(self) -> bool:
        """The beat: take runs from silent workers, go on with the chain. True if that may have queued something."""
        return bool(sum(queue.sweep().values()) + schedule.follow())

    def _next_run(self) -> JobRun | None:
        """The run that is due first, those that are due now before those that wait."""
        queued = JobRun.objects.filter(state=JobRun.State.QUEUED)
        return queued.order_by(F("not_before").asc(nulls_first=True), "pk").first()

    def execute(self, run: JobRun) -> None:
        outages, killed = run.outages, False
        before = self.covered_until()
        self.ledger.begin(run.pk, run.process)
        try:
            tasks.execute(run.pk)
        except Killed:
            killed = True
        storing, self.plan.kill_while_storing = killed and self.plan.kill_while_storing, False
        run.refresh_from_db()
        self.tell(f"{run.process} {run.pk} {'killed' if killed else run.state} {run.error_message} {run.warnings[-1:]}")
        if run.error_kind == "Unexpected":
            self.claims.wrong("run", f"{run.process} {run.pk}: {run.error_message}")
        throttled = run.state == JobRun.State.QUEUED and run.outages == outages
        if run.process == base.ACTIVITY:
            self.ledger.end(throttled=throttled, killed=killed, storing=storing)
            if (after := self.covered_until()) and (before is None or after > before):
                self._note_belief()
        elif run.process == base.DOWNLOAD and run.state in (JobRun.State.SUCCEEDED, JobRun.State.HELD):
            self.ledger.publish(ends=run.state == JobRun.State.SUCCEEDED)
            self.ledger.members_at_listing = self.vendor.members_at_list

    def _note_belief(self) -> None:
        reading = self.ledger.reading
        assert reading
        self.claims.believed[reading.team.team_id] = reading.moment
        self.judge.days.setdefault(reading.team.team_id, {}).update(reading.by_day)

    def covered_until(self) -> datetime | None:
        self.profile = IntegrationProfile.objects.get(pk=self.profile.pk)
        return max((one.until for one in intervals.of_team(self.profile)), default=None)

    # The end of a day, and of the world.

    def check(self) -> None:
        self.claims.profile = self.profile
        self.claims.check(timezone.now())
        if self.findings.wrong:
            raise AssertionError("\n".join([*self.lines, "", *self.findings.wrong]))

    def end_well(self) -> None:
        """People stop to change, no event is late any more, nothing goes wrong, twice."""
        for team in self.teams:
            team.quiet, team.always_late = None, False
        for span in (DAY * 4, DAY):
            self.plan.draw(0)
            self.pass_time(span)
            self.refresh()
            self.check()
        self.claims.check_alive(intervals.midnight_of(self.profile.analyze_activity_from), timezone.now())
        if self.findings.wrong:
            raise AssertionError("\n".join([*self.lines, "", *self.findings.wrong]))
