"""A whole installation as processes of its own, somebody signed in, and a look into its database."""

from __future__ import annotations

import re
import sqlite3
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import psycopg
import pytest
import requests

from profiles.connectors.dropbox.sandbox import Fault, Sandbox
from profiles.connectors.dropbox.sandbox.messages import Delivery
from tests.browser.installations import Installation, services
from tests.faults.crowd import until
from tests.faults.tenant import LIST

CONNECT = """
from datetime import timedelta
from django.utils import timezone
from profiles.models import Credential, IntegrationProfile
from tests import worlds
for number in range(2):
    worlds.draft_profile(f"Dropbox {{number}}", status="published", team_id="{team}")
Credential.objects.update(
    state="connected", team_id="{team}", access_token="{access}", refresh_token="{refresh}",
    expires_at=timezone.now() + timedelta(hours=4), granted_scopes=["members.read", "team_info.read"],
)
"""
DOWNLOAD = "download_subscriptions"


class House:
    """Two connected profiles, whose downloads somebody asks for by pressing the button."""

    def __init__(self, made: Installation, database: str) -> None:
        self.made, self.database = made, database
        self.clicked: list[int] = []
        self.browser = requests.Session()
        self.browser.trust_env = False
        self.post("/accounts/login/", "/accounts/login/", username=made.username, password=made.password)

    @property
    def sandbox(self) -> Sandbox:
        assert self.made.sandbox
        return self.made.sandbox

    def post(self, page: str, target: str, **fields: str) -> requests.Response:
        """Open a page and send a form of it."""
        token = re.search(r'csrfmiddlewaretoken" value="([^"]+)"', self.browser.get(self.made.url + page).text)
        assert token, page
        form = {"csrfmiddlewaretoken": token[1], **fields}
        return self.browser.post(self.made.url + target, form, timeout=30, allow_redirects=False)

    def click(self, profile: int) -> float:
        """Press Download subscriptions on a profile's page; seconds until the answer."""
        page = f"/integration-profiles/{profile}/"
        began, before = time.monotonic(), self.last_run(profile)
        assert self.post(page, f"{page}download/").status_code == 302
        spent = time.monotonic() - began
        asked = self.last_run(profile)
        assert asked and asked != before, "The click was taken, and there is no new run."
        self.clicked.append(asked)
        return spent

    def query(self, question: str, *values: Any) -> list[tuple[Any, ...]]:
        if self.database.startswith("sqlite"):
            link = sqlite3.connect(urlsplit(self.database).path, timeout=20)
            try:
                return link.execute(question.replace("%s", "?"), values).fetchall()
            finally:
                link.close()
        with psycopg.connect(self.database) as connection:
            return connection.execute(question, list(values)).fetchall()

    def last_run(self, profile: int) -> int:
        question = "select max(id) from profiles_jobrun where profile_id = %s and process = %s"
        return int(self.query(question, profile, DOWNLOAD)[0][0] or 0)

    def state(self, profile: int) -> str:
        """Of the profile's last download."""
        rows = self.query("select state from profiles_jobrun where id = %s", self.last_run(profile))
        return str(rows[0][0]) if rows else ""

    def attempts_of_last(self, profile: int) -> int:
        return int(self.query("select attempts from profiles_jobrun where id = %s", self.last_run(profile))[0][0])

    def runs_interrupted(self) -> int:
        """Downloads that a worker began more than once."""
        question = "select count(*) from profiles_jobrun where process = %s and attempts > 1"
        return int(self.query(question, DOWNLOAD)[0][0])

    def answers(self) -> bool:
        """Whether a page that writes and reads the database answers."""
        try:
            page = self.browser.get(self.made.url + f"/integration-profiles/{self.profiles()[0]}/", timeout=10)
        except (requests.RequestException, psycopg.Error):
            return False
        return page.status_code == 200

    def last_tick(self) -> Any:
        """When a worker last heard the beat."""
        return self.query("select at from samsaas_heartbeat where name = %s", "sweep")

    def wait_for_tick(self, seconds: float) -> float:
        """Until the beat has reached the worker once more, in seconds."""
        before = self.last_tick()
        try:
            return until(lambda: self.last_tick() != before, seconds)
        except AssertionError:
            pytest.fail(f"No tick within {seconds} s\n{self.made.logs()}")

    def processes_lost(self) -> int:
        """Web, worker and beat that ended, or that their guard had to start again."""
        ended = sum(process.poll() is not None for process in self.made.processes.values())
        started_again = sum(path.read_text().count("it is started again") for path in self.made.folder.glob("*.log"))
        return ended + started_again

    def clicks_not_run_once(self) -> int:
        """Clicks that were accepted and whose run did not succeed, and runs that nobody clicked."""
        rows = self.query("select id, state from profiles_jobrun where process = %s", DOWNLOAD)
        good = {run for run, state in rows if state == "succeeded"}
        return len({*self.clicked} ^ good)

    def profiles(self) -> list[int]:
        return [row[0] for row in self.query("select id from profiles_integrationprofile order by id")]

    def begin(self, profile: int, seconds: float = 0.8) -> None:
        """Press the button, and return while the run is at work; each of its pages takes so many seconds."""
        self.sandbox.faults.add(LIST, None, Fault(delivery=Delivery(delay=seconds)))
        self.click(profile)
        self.wait_for(profile, "running", 90)

    def wait_for(self, profile: int, state: str, seconds: float) -> float:
        try:
            return until(lambda: self.state(profile) == state, seconds)
        except AssertionError:
            pytest.fail(f"{self.state(profile)!r} after {seconds} s, wanted {state!r}\n{self.made.logs()}")


@contextmanager
def opened(folder: Path, database: str, broker: str, **settings: str) -> Iterator[House]:
    with services(folder, database, broker, **settings) as made:
        assert made.sandbox
        access, refresh = made.sandbox.grant()
        team = next(iter(made.sandbox.teams))
        made.manage("shell", "-c", CONNECT.format(team=team, access=access, refresh=refresh))
        yield House(made, database)
