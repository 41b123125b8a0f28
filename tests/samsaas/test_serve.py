"""`manage.py serve`: a real installation as one process, over SQLite and without Redis."""

from __future__ import annotations

import os
import re
import secrets
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import requests
from cryptography.fernet import Fernet

from profiles.connectors.dropbox.sandbox import Fault, Sandbox, serving
from profiles.connectors.dropbox.sandbox.messages import Delivery
from tests import migrated, servers
from tests.browser.installations import Installation, clean_environment, wait_until_it_answers
from tests.faults.crowd import until
from tests.faults.house import CONNECT, House
from tests.faults.tenant import LIST

pytestmark = pytest.mark.own_database


class Served:
    """What an operator sets up once; `running()` is the service manager's part."""

    def __init__(self, folder: Path) -> None:
        port = servers.free_port()
        url = f"http://localhost:{port}"
        self.sandbox = Sandbox(redirect_uris=[f"{url}/oauth_redirect.do"])
        self.vendor = serving.serve(self.sandbox, "localhost").start()
        there = f"http://localhost:{self.vendor.server_address[1]}"
        self.made = Installation(url=url, password=secrets.token_urlsafe(12), sandbox=self.sandbox, folder=folder)
        self.database = f"sqlite:///{folder / 'samsaas.sqlite3'}"
        self.made.environment = clean_environment(
            SAMSAAS_ENV_FILE=os.devnull,
            SECRET_KEY=secrets.token_urlsafe(50),
            FIELD_ENCRYPTION_KEYS=Fernet.generate_key().decode(),
            PUBLIC_URL=url,
            WEB_BIND=f"127.0.0.1:{port}",
            DATABASE_URL=self.database,
            STATIC_ROOT=str(folder / "static"),
            SERVE_UNCOLLECTED_STATIC="",
            DROPBOX_AUTHORIZE_URL=f"{there}/oauth2/authorize",
            DROPBOX_TOKEN_URL=f"{there}/oauth2/token",
            DROPBOX_API_URL=there,
        )

    def set_up(self) -> None:
        """What docs/deploying.md says, and a connected team."""
        migrated.put_sqlite(self.database)
        account = ("--noinput", "--username", "admin", "--email", "admin@example.com")
        self.made.manage("createsuperuser", *account, DJANGO_SUPERUSER_PASSWORD=self.made.password)
        access, refresh = self.sandbox.grant()
        names = {"team": next(iter(self.sandbox.teams)), "access": access, "refresh": refresh}
        self.made.manage("shell", "-c", CONNECT.format(**names))

    @contextmanager
    def running(self) -> Iterator[House]:
        self.made.start("serve", "manage.py", "serve")
        try:
            wait_until_it_answers(self.made.url, self.made)
            yield House(self.made, self.database)
        finally:
            if "serve" in self.made.processes:
                self.made.kill("serve")

    def stop(self, number: int = signal.SIGTERM) -> int:
        process = self.made.processes.pop("serve")
        process.send_signal(number)
        return process.wait(40)

    def refusal(self) -> str:
        command = [sys.executable, "manage.py", "serve"]
        done = subprocess.run(
            command,
            cwd=Path(__file__).parents[2],
            env=self.made.environment,
            capture_output=True,
            text=True,
            timeout=60,
        )
        assert done.returncode != 0 and "Traceback" not in done.stderr
        return done.stderr

    def serving_process(self) -> int:
        """The child of gunicorn's parent."""
        parent = self.made.processes["serve"].pid
        return int(Path(f"/proc/{parent}/task/{parent}/children").read_text().split()[0])


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    made = Served(tmp_path_factory.mktemp("serve"))
    assert "manage.py collectstatic" in made.refusal()
    made.made.manage("collectstatic", "--noinput", "--verbosity", "0")
    assert "migrations are not applied" in made.refusal()
    made.set_up()
    yield made
    made.vendor.shutdown()
    made.vendor.server_close()


def test_pages_work_and_static_files_come_with_production_settings(served: Served) -> None:
    with served.running() as house:
        profile = house.profiles()[0]
        house.click(profile)
        house.wait_for(profile, "succeeded", 60)
        page = requests.get(f"{served.made.url}/accounts/login/", timeout=20)
        (style, *_) = re.findall(r'href="(/static/[^"]+\.css)"', page.text)
        assert re.search(r"\.[0-9a-f]{12}\.css$", style), "under its hashed name, as in production"
        assert requests.get(served.made.url + style, timeout=20).status_code == 200
        missing = requests.get(f"{served.made.url}/nowhere/", timeout=20)
        assert "DEBUG" not in missing.text and "Traceback" not in missing.text
        until(lambda: requests.get(f"{served.made.url}/readyz", timeout=20).json() == {"status": "ok"}, 30)
        assert "Another process serves the database" in served.refusal()
        until(lambda: is_healthy(served), 60)


def is_healthy(served: Served) -> bool:
    """Whether the doctor finds nothing; worker and beat need some seconds to hear of one another."""
    try:
        doctor = served.made.manage("doctor")
    except subprocess.CalledProcessError:
        return False
    return "OK    worker" in doctor and "OK    beat" in doctor


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_clean_stop_puts_the_run_back_and_the_next_start_resumes_it(served: Served, number: int) -> None:
    served.sandbox.faults.add(LIST, None, Fault(delivery=Delivery(delay=15)))
    with served.running() as house:
        profile = house.profiles()[0]
        house.click(profile)
        house.wait_for(profile, "running", 30)
        assert served.stop(number) == 0
        assert house.attempts_of_last(profile) == 0, "the run did nothing wrong"
    served.sandbox.faults.clear()
    with served.running() as house:
        house.wait_for(profile, "succeeded", 30)
        assert house.attempts_of_last(profile) == 1


def test_a_serving_process_that_dies_is_started_again_and_resumes_its_run(served: Served) -> None:
    served.sandbox.faults.add(LIST, None, Fault(delivery=Delivery(delay=15)))
    with served.running() as house:
        profile = house.profiles()[1]
        house.click(profile)
        house.wait_for(profile, "running", 30)
        died = served.serving_process()
        os.kill(died, signal.SIGKILL)
        served.sandbox.faults.clear()
        house.wait_for(profile, "succeeded", 60)
        assert served.serving_process() != died and served.made.processes["serve"].poll() is None
        assert served.stop() == 0


def test_a_backup_is_one_command_while_it_runs(served: Served, tmp_path: Path) -> None:
    with served.running() as house:
        with sqlite3.connect(str(served.made.folder / "samsaas.sqlite3")) as source:
            source.execute("vacuum into ?", [str(tmp_path / "backup.sqlite3")])
        profiles = house.profiles()
    with sqlite3.connect(tmp_path / "backup.sqlite3") as backup:
        assert [row[0] for row in backup.execute("select id from profiles_integrationprofile order by id")] == profiles
