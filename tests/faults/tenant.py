"""A connected profile and its vendor, with the few verbs that the fault tests share."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, timedelta
from typing import Any

from django.utils import timezone

from profiles import tasks
from profiles.connectors import base
from profiles.connectors.dropbox.sandbox import Fault, Request, Response, Sandbox, log
from profiles.connectors.dropbox.sandbox.team import Team, status_of
from profiles.jobs import queue
from profiles.models import IntegrationProfile, JobRun
from subscriptions.activity.coverage import intervals, timeline
from subscriptions.models import ActivityCoverage, ActivityDay, LastActivity, Subscription
from tests import worlds

INFO = "team/get_info"
LIST, LIST_MORE = "team/members/list_v2", "team/members/list/continue_v2"
EVENTS, EVENTS_MORE = "team_log/get_events", "team_log/get_events/continue"
TOKEN = "oauth2/token"
ROUTES = {base.DOWNLOAD: (LIST, LIST_MORE), base.ACTIVITY: (EVENTS, EVENTS_MORE)}


def told(tag: str, status: int) -> Fault:
    """An answer in Dropbox's envelope."""
    return Fault(status=status, body={"error_summary": f"{tag}/..", "error": {".tag": tag}})


class Tenant:
    """`waits` holds the seconds the vendor made a run wait; nobody slept them."""

    def __init__(self, profile: IntegrationProfile, sandbox: Sandbox) -> None:
        self.profile, self.sandbox = profile, sandbox
        self.waits: list[float] = []

    @property
    def team(self) -> Team:
        return next(iter(self.sandbox.teams.values()))

    def refresh(self) -> None:
        """Whatever is queued and what follows it, which has to go well."""
        ended = worlds.work_on()
        assert {run.state for run in ended} == {"succeeded"}, [(run.process, run.error_message) for run in ended]
        assert len(ended) >= 3, "download, people, activity"

    def execute(self, process: str, **given: Any) -> JobRun:
        run, _ = queue.request(queue.Request(process, JobRun.Trigger.MANUAL, profile=self.profile, **given))
        assert run
        return self.go_on(run)

    def go_on(self, run: JobRun) -> JobRun:
        """One message for this run is delivered."""
        tasks.execute(run.pk)
        run.refresh_from_db()
        return run

    def download(self, **given: Any) -> JobRun:
        return self.execute(base.DOWNLOAD, **given)

    def pull(self) -> JobRun:
        return self.execute(base.ACTIVITY)

    def break_page(self, process: str, number: int, fault: Fault) -> None:
        """Let this page of the next listing go wrong, once."""
        first, more = ROUTES[process]
        self.sandbox.faults.add(first if number == 1 else more, number if number == 1 else number - 1, fault)

    def mend(self) -> None:
        self.sandbox.faults.clear()

    @contextmanager
    def held(self, route: str) -> Iterator[threading.Event]:
        """The vendor takes calls of a route and does not answer before the end; the event says that one came."""
        arrived, go_on, handle = threading.Event(), threading.Event(), self.sandbox.handle

        def wait(request: Request) -> Response:
            if request.path.endswith(route):
                arrived.set()
                go_on.wait(20)
            return handle(request)

        self.sandbox.handle = wait  # type: ignore[method-assign]
        try:
            yield arrived
        finally:
            go_on.set()
            self.sandbox.handle = handle  # type: ignore[method-assign]

    def pages(self, process: str) -> int:
        """How many pages a whole listing has."""
        before = self.calls(*ROUTES[process])
        assert self.execute(process).state == "succeeded"
        return self.calls(*ROUTES[process]) - before

    def calls(self, *routes: str) -> int:
        return sum(called in routes or not routes for called, _ in self.sandbox.log)

    def rows(self) -> list[dict[str, Any]]:
        return list(Subscription.objects.filter(profile=self.profile).order_by("pk").values())

    def current(self) -> set[str]:
        return set(Subscription.objects.filter(profile=self.profile).current().values_list("external_id", flat=True))

    def ended(self) -> int:
        return Subscription.objects.filter(profile=self.profile, ended_at__isnull=False).count()

    def members(self) -> set[str]:
        """Who is in the team now, as the vendor would say."""
        return {one["profile"]["team_member_id"] for one in self.team.members if status_of(one) != "removed"}

    def wrong_seats(self) -> int:
        """Seats that are current and should not be, and the other way round."""
        return len(self.current() ^ self.members())

    def forget_activity(self) -> None:
        """As if nothing had been pulled yet."""
        for model in (ActivityDay, ActivityCoverage, LastActivity):
            model.objects.all().delete()
        JobRun.objects.filter(process=base.ACTIVITY).delete()

    def log(self) -> list[dict[str, Any]]:
        """Every event since the start of the analysis."""
        since = intervals.midnight_of(self.profile.analyze_activity_from)
        return list(log.events(self.team, since, self.sandbox.now()))

    def true_days(self) -> Counter[tuple[str, date]]:
        """Events by member and day, read from the sandbox's log by other means than the product's."""
        seats, found = self.current(), Counter()
        for event in self.log():
            actor = event.get("actor") or {}
            who = (actor.get("user") or actor.get("admin") or {}).get("team_member_id")
            worn = event["origin"]["access_method"][".tag"] == "sign_in_as"
            if who in seats and not worn and event["event_type"][".tag"] != "login_fail":
                found[who, date.fromisoformat(event["timestamp"][:10])] += 1
        return found

    def wrong_events(self) -> int:
        """Events lost or counted twice, over all members and days."""
        kept: Counter[tuple[str, date]] = Counter()
        for who, day, events in ActivityDay.objects.values_list("subscription__external_id", "day", "events"):
            kept[who, day] = events
        truth = self.true_days()
        assert truth, "a log without events proves nothing"
        return sum(abs(kept[key] - truth[key]) for key in kept | truth)

    def unknown_days(self) -> float:
        """Days since the start of the analysis for which nothing is proved."""
        return float(timeline.time_line_with_days(self.profile, timezone.now())["days"]["gap"])

    def claims(self) -> list[tuple[Any, Any]]:
        """The intervals that are said to be known."""
        return list(self.profile.coverage.order_by("since").values_list("since", "until"))


DAY = timedelta(days=1)
