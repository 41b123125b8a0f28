"""A team at the sandbox, people who press buttons on pages, and workers that go on. One clock moves both sides."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest
import responses
from django.utils import timezone

from profiles.connectors import base
from profiles.connectors.dropbox.sandbox import Sandbox, log, serving
from profiles.connectors.dropbox.sandbox.team import Team
from profiles.jobs import execute, queue
from profiles.models import IntegrationProfile, JobRun
from reclamation.asking import sweep as asking_sweep
from reclamation.models import RemovalAttempt, RemovalCandidate
from reclamation.removal import reclaim, sweep as removal_sweep
from reclamation.states import State
from tests import worlds
from tests.conftest import VENDOR
from tests.faults.idle_team import IdleTeam
from tests.reclamation.removal.conftest import time

__all__ = ["time"]
PEOPLE, LICENSES = 150, 160
ASKED = (State.AWAITING_USER, State.AWAITING_APPROVAL)


@pytest.fixture
def dropbox(time: Any, settings: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[Sandbox]:
    """A team in which nobody works unless a story says so."""
    monkeypatch.setattr(log, "_is_active_on", lambda *given: False)
    monkeypatch.setattr(log, "_odd_events", lambda *given: [])
    sandbox = Sandbox(
        [Team("Nordwind Trading", "nordwind.example", PEOPLE, LICENSES)],
        redirect_uris=[settings.OAUTH_REDIRECT_URL],
        now=timezone.now,
    )
    with responses.RequestsMock(assert_all_requests_are_fired=False) as mock:
        serving.plug(sandbox, mock, [VENDOR])
        yield sandbox


class House(IdleTeam):
    """The team with the pages: whoever presses is signed in anew, as often as time has passed."""

    sign_in: Callable[..., Any]
    time: Any

    def connect(self, profile: IntegrationProfile, by: Any, *, admin: str = "", **choices: str) -> str:
        """Press Get OAuth Token, and allow it at the vendor as one of its administrators. What the last page says."""
        client = self.client(by)
        back = worlds.consent(self.sandbox, worlds.press(client, profile, **choices), account=admin)
        said = words(client.get(back, follow=True))
        profile.refresh_from_db()
        return said

    def refresh(self) -> None:
        """Directory and activity of every profile are as if they had been read until now."""
        mine = self.profile
        for profile in IntegrationProfile.objects.exclude(team_id=""):
            self.profile = profile
            super().refresh()
        self.profile = mine
        mine.refresh_from_db()

    def work(self) -> None:  # type: ignore[override]
        """What happens every minute, and the runs of removals that it asks for."""
        now = timezone.now()
        if RemovalCandidate.objects.filter(state__in=ASKED).exists():
            asking_sweep.run(now)
        removal_sweep.run(now)
        queue.start_waiting()
        for run in JobRun.objects.filter(process=base.RECLAIM, state=JobRun.State.QUEUED).order_by("pk"):
            execute.run(run.pk, reclaim.run)

    def client(self, user: Any) -> Any:
        client = self.sign_in(user)
        client.user = user
        return client

    def reclaim(self, *candidates: RemovalCandidate, by: Any = None, **ticks: str) -> str:
        """Press Reclaim on the page and confirm it. What the next page says."""
        given = {"candidate": [one.pk for one in candidates], "confirm": "1", "legal_hold": "on", **ticks}
        return self.post("/removal-batches/new/", by or self.ann, **given)

    def post(self, address: str, by: Any, **given: Any) -> str:
        return words(self.client(by).post(address, given, follow=True))

    def page(self, address: str, by: Any = None) -> str:
        return words(self.client(by or self.ann).get(address))

    def pass_days(self, days: float, minutes: float = 1) -> None:
        """Time goes by, and what the daily refresh brings is as if it had been read."""
        self.time.pass_by(days=days, minutes=minutes)
        self.refresh()

    def go_on(self, rounds: int = 2, minutes: float = 11) -> None:
        """Workers go on, with some time between their turns."""
        for _ in range(rounds):
            self.work()
            self.pass_days(0, minutes)

    def attempt(self, candidate: RemovalCandidate) -> RemovalAttempt:
        return RemovalAttempt.objects.filter(candidate=candidate).latest("pk")

    def state(self, candidate: RemovalCandidate) -> tuple[str, str]:
        """Of the candidate, and of its last attempt."""
        candidate.refresh_from_db()
        last = RemovalAttempt.objects.filter(candidate=candidate).last()
        return candidate.state, last.state if last else ""

    def files_of(self, external_id: str) -> str:
        """Who has received the files of a former member."""
        removal = self.team.past.removal_of(self.member(external_id))
        return removal.recipient if removal else ""


def words(answer: Any) -> str:
    """The text of a page."""
    assert answer.status_code == 200, answer.content[:500]
    return " ".join(re.sub("<[^>]+>", " ", answer.content.decode()).split())


@pytest.fixture
def house(db: None, time: Any, dropbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> House:
    from django.test import Client  # noqa: PLC0415

    monkeypatch.setattr("profiles.jobs.execute.Job.wait", lambda job, seconds, reason: time.pass_by(seconds=seconds))

    def sign_in(user: Any) -> Any:
        client = Client()
        client.force_login(user)
        return client

    made = House(dropbox)
    made.sign_in, made.time = sign_in, time
    type(made.profile.alias).objects.filter(pk=made.profile.alias.pk).update(reclaim_quota=None)
    made.refresh()
    dropbox.work.transfer_takes = timedelta(minutes=5)
    return made
