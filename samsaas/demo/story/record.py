"""Record the story: go back two months, let happen what happened, week by week, and come back to now.

1. Connect the team, and let its first refresh run. A colleague records what was bought and reviews the rule.
2. Each week the license position is computed, and the runs of its days are noted.
3. Subscriptions are reclaimed, one of them is restored, a contract is renewed with fewer rights, people join.
4. Come back to now. Today's refresh and today's position are made as on every day.

It takes a few seconds, and happens once, at the demo's first start.
"""

from __future__ import annotations

from datetime import date, datetime, time, timedelta

from celery import current_app
from django.contrib.auth.models import Group, User
from django.utils import timezone

from profiles import tasks
from profiles.connectors import base
from profiles.jobs import queue
from profiles.models import IntegrationProfile, JobRun
from reclamation.savings import renewals
from samsaas import outbox, roles, schedule
from samsaas.demo import people as demo_people
from samsaas.demo.clock import DemoClock
from samsaas.demo.story import bought, connect, daily_runs, taken_back
from samsaas.demo.story.sandbox_part import SandboxPart
from subscriptions import recompute
from subscriptions.question import ask
from subscriptions.rematch import MATCH

BEGAN = 61  # days ago
COLLEAGUE = "robin.finch"
JOINED, WEEK = 21, 7


def is_recorded() -> bool:
    """Whether there is anything already that the story must not be mixed with."""
    return IntegrationProfile.objects.exists() or User.objects.exists()


def run(vendor: SandboxPart, clock: DemoClock) -> None:
    """Record the story. The clock is back at now afterwards."""
    now = timezone.localtime()
    try:
        _Story(vendor, clock, now.date()).tell()
    finally:
        clock.come_back()


class _Story:
    def __init__(self, vendor: SandboxPart, clock: DemoClock, today: date) -> None:
        self.vendor, self.clock, self.today = vendor, clock, today

    def tell(self) -> None:
        """From the first day to this morning."""
        self.vendor.team.hold_back()
        self.go_to(BEGAN)
        colleague = User.objects.create_user(COLLEAGUE, first_name="Robin", last_name="Finch")
        colleague.groups.add(Group.objects.get(name=roles.SAM_ADMIN))
        demo_people.create_people(self.vendor.teams)
        profile = connect.run(self.vendor, by=colleague, now=timezone.now())
        work_on()
        connect.review_rules(by=colleague, now=timezone.now())
        book = bought.Purchases(self.today, by=colleague)
        book.record_first()
        work_on()
        reclaiming = taken_back.Reclaiming(profile, self.vendor.console, by=colleague)
        events = {**reclaiming.by_day(), bought.RENEWED_BEFORE: [book.record_renewal], JOINED: [self.join]}
        before = BEGAN
        for days_ago in sorted({*events, *range(WEEK, BEGAN, WEEK)}, reverse=True):
            self.note_days(profile, before - 1, days_ago)
            self.go_to(days_ago)
            for happen in events.get(days_ago, ()):
                happen()
                work_on()
                send_mails()
            if days_ago % WEEK == 0:
                self.reconcile()
            before = days_ago
        self.note_days(profile, before - 1, 1)
        self.clock.come_back()
        renewals.note_saved(timezone.now())
        self.reconcile(scheduled_on=self.refresh(profile))
        schedule.count_seats()
        current_app.control.purge()  # the doorbells of runs that are over

    def note_days(self, profile: IntegrationProfile, first: int, last: int) -> None:
        daily_runs.note(profile, [self.today - timedelta(days=ago) for ago in range(first, last - 1, -1)])

    def join(self) -> None:
        """New people got an add-on, for which nobody has bought rights. The refresh of their day finds them."""
        self.vendor.team.let_in()
        profile, day = IntegrationProfile.objects.get(), timezone.localdate()
        JobRun.objects.filter(profile=profile, logical_date=day).delete()
        for process, of_day in ((base.DOWNLOAD, day), (MATCH, None)):
            request = queue.Request(process, JobRun.Trigger.SCHEDULE, profile=profile, logical_date=of_day)
            queue.request(request)
            work_on()

    def refresh(self, profile: IntegrationProfile) -> date:
        """The refresh that came due last, as the schedule makes it. Returns its day: before its hour, yesterday."""
        job, now = profile.scheduled_jobs.get(process=schedule.DAILY_ORDER[0]), timezone.now()
        day = timezone.localdate(now) - timedelta(days=0 if schedule.due(job, now) else 1)
        JobRun.objects.filter(profile=profile, logical_date=day).delete()
        trigger, process = JobRun.Trigger.SCHEDULE, schedule.DAILY_ORDER[0]
        queue.request(queue.Request(process, trigger, profile=profile, logical_date=day, in_chain=True))
        work_on()
        return day

    def reconcile(self, scheduled_on: date | None = None) -> None:
        now = timezone.now()
        recompute.request(ask(now=now), by=None, now=now, scheduled_on=scheduled_on or timezone.localdate(now))
        work_on()

    def go_to(self, days_ago: int) -> None:
        """It is the morning of that day."""
        morning = datetime.combine(self.today - timedelta(days=days_ago), time(9, 30))
        self.clock.visit(timezone.make_aware(morning))


def work_on() -> None:
    """Run what is queued, and what follows from it, in this process."""
    while queued := _queued():
        for run_id in queued:
            tasks.execute(run_id)
        schedule.follow()


def send_mails() -> None:
    """Mails go out at once, or on the first of the next days that is no weekend."""
    now = timezone.now()
    for later in range(3):
        outbox.send_due(now + timedelta(days=later))


def _queued() -> list[int]:
    queue.start_waiting()
    return list(JobRun.objects.filter(state=JobRun.State.QUEUED).order_by("pk").values_list("pk", flat=True))
