"""A whole installation whose Redis goes away and comes back: gunicorn, worker and beat as processes of their own."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from typing import Any

import psycopg
import pytest
import requests

from profiles.connectors.dropbox.sandbox import Fault
from profiles.connectors.dropbox.sandbox.messages import Delivery
from tests.browser.conftest import empty_database
from tests.browser.installations import Installation, services
from tests.conftest import needs
from tests.faults import own_redis
from tests.faults.crowd import until
from tests.faults.tenant import LIST

pytestmark = [pytest.mark.fault, pytest.mark.redis, pytest.mark.own_database]
RESTARTS = 8
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


class House:
    """The installation, somebody signed in, and a look into its database."""

    def __init__(self, made: Installation, database: str, redis: own_redis.OwnRedis) -> None:
        self.made, self.database, self.redis = made, database, redis
        self.browser = requests.Session()
        self.browser.trust_env = False
        self.post("/accounts/login/", "/accounts/login/", username=made.username, password=made.password)

    def post(self, page: str, target: str, **fields: str) -> requests.Response:
        """Open a page and send a form of it."""
        token = re.search(r'csrfmiddlewaretoken" value="([^"]+)"', self.browser.get(self.made.url + page).text)
        assert token, page
        form = {"csrfmiddlewaretoken": token[1], **fields}
        return self.browser.post(self.made.url + target, form, timeout=30, allow_redirects=False)

    def click(self, profile: int) -> float:
        """Press Download subscriptions on a profile's page; seconds until the answer."""
        page = f"/integration-profiles/{profile}/"
        began = time.monotonic()
        assert self.post(page, f"{page}download/").status_code == 302
        return time.monotonic() - began

    def state(self, profile: int) -> str:
        """Of the profile's last download."""
        question = "select state from profiles_jobrun where profile_id = %s and process = %s order by id desc limit 1"
        with psycopg.connect(self.database) as connection:
            row = connection.execute(question, [profile, "download_subscriptions"]).fetchone()
        return str(row[0]) if row else ""

    def downloads_lost(self) -> int:
        """Asked for, and not succeeded."""
        question = "select count(*) from profiles_jobrun where process = %s and state <> 'succeeded'"
        with psycopg.connect(self.database) as connection:
            row = connection.execute(question, ["download_subscriptions"]).fetchone()
        return int(row[0]) if row else 0

    def profiles(self) -> list[int]:
        with psycopg.connect(self.database) as connection:
            return [row[0] for row in connection.execute("select id from profiles_integrationprofile order by id")]

    def wait_for(self, profile: int, state: str, seconds: float) -> float:
        try:
            return until(lambda: self.state(profile) == state, seconds)
        except AssertionError:
            pytest.fail(f"{self.state(profile)!r} after {seconds} s, wanted {state!r}\n{self.made.logs()}")


@pytest.fixture(scope="module")
def house(tmp_path_factory: Any, postgres_url: str) -> Iterator[House]:
    folder = tmp_path_factory.mktemp("house")
    server = own_redis.running(folder)
    redis = needs(server.__enter__)
    with empty_database(postgres_url) as database, services(folder, database, redis.url) as made:
        sandbox = made.sandbox
        assert sandbox
        access, refresh = sandbox.grant()
        team = next(iter(sandbox.teams))
        made.manage("shell", "-c", CONNECT.format(team=team, access=access, refresh=refresh))
        yield House(made, database, redis)
    server.__exit__(None, None, None)


def test_a_click_while_redis_is_stopped_is_kept_and_starts_when_it_is_back(house: House, measured: Any) -> None:
    profile = house.profiles()[0]
    house.click(profile)
    house.wait_for(profile, "succeeded", 30)
    house.redis.kill()
    spent = house.click(profile)
    assert house.state(profile) == "queued"
    house.redis.start()
    waited = house.wait_for(profile, "succeeded", 90)
    measured("F35", "Redis stopped, a click in the browser", "page", spent, must="≤ 2 s")
    measured("F35", "Redis is back; a real worker, nobody clicks again", "done after", waited, must="≤ 60 s")


def test_a_worker_goes_on_after_every_restart_of_redis_under_load(house: House, measured: Any) -> None:
    """Killed with a run at work and its message not acknowledged; then somebody clicks on another profile."""
    at_work, next_one = house.profiles()
    sandbox, slowest = house.made.sandbox, 0.0
    assert sandbox
    for _ in range(RESTARTS):
        sandbox.faults.add(LIST, None, Fault(delivery=Delivery(delay=0.8)))
        house.click(at_work)
        house.wait_for(at_work, "running", 30)
        house.redis.kill()
        house.redis.start()
        house.click(next_one)
        sandbox.faults.clear()
        slowest = max(slowest, house.wait_for(next_one, "succeeded", 60))
        house.wait_for(at_work, "succeeded", 60)
    injected = f"Redis killed and started again {RESTARTS} times with a run at work"
    measured("F38", injected, "work goes on after", slowest, must="≤ 30 s")
    measured("F38", injected, "downloads lost", house.downloads_lost())
