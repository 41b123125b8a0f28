"""The compose file's own commands, started as plain processes on a real PostgreSQL and a real Redis.

The nearest thing to `docker compose up` without an engine: same commands, same variables, same health checks, same
order, and the same signal at the end.
"""

from __future__ import annotations

import os
import secrets
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import psycopg
import pytest
from cryptography.fernet import Fernet

from tests import compose, servers

pytestmark = [pytest.mark.redis, pytest.mark.own_database]

PATIENCE = 90.0
BEHIND_PYTHON = {"PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"}


class Stack:
    """The services of the compose file, with our servers in the place of its own."""

    def __init__(self, folder: Path, database_url: str, redis_url: str) -> None:
        self.folder, self.database_url = folder, database_url
        self.port = servers.free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.services = compose.load(dict.fromkeys(("POSTGRES_PASSWORD", "REDIS_PASSWORD"), "unused") | self.secrets())
        self.here = {
            "DATABASE_URL": database_url,
            "CELERY_BROKER_URL": redis_url,
            "WEB_BIND": f"127.0.0.1:{self.port}",
            "STATIC_ROOT": str(folder / "static"),
            "SAMSAAS_ENV_FILE": os.devnull,
            "HOME": "/nonexistent",
        }
        self.running: dict[str, subprocess.Popen[bytes]] = {}
        self.beside_the_code = {path.name for path in compose.ROOT.iterdir()}

    def secrets(self) -> dict[str, str]:
        return {"SECRET_KEY": secrets.token_urlsafe(50), "FIELD_ENCRYPTION_KEYS": Fernet.generate_key().decode()}

    def environment(self, name: str) -> dict[str, str]:
        own: dict[str, str] = self.services["services"][name]["environment"] | self.here
        if "ALIVE_FILE" in own:
            own["ALIVE_FILE"] = str(self.folder / f"{name}.alive")
        return BEHIND_PYTHON | own

    def call(self, name: str, command: list[str]) -> int:
        return subprocess.run(command, cwd=compose.ROOT, env=self.environment(name), timeout=PATIENCE).returncode

    def start(self, name: str) -> None:
        command = self.services["services"][name]["command"]
        with self.log(name).open("wb") as log:
            self.running[name] = subprocess.Popen(
                command, cwd=compose.ROOT, env=self.environment(name), stdout=log, stderr=subprocess.STDOUT
            )

    def log(self, name: str) -> Path:
        return self.folder / f"{name}.log"

    def healthy(self, name: str) -> bool:
        return self.call(name, self.services["services"][name]["healthcheck"]["test"][1:]) == 0

    def stop(self, name: str) -> int:
        """The signal of `docker compose stop`, and the exit code, within the service's grace period."""
        process = self.running.pop(name)
        process.send_signal(signal.SIGTERM)
        return process.wait(float(self.services["services"][name]["stop_grace_period"].removesuffix("s")))

    def kill_all(self) -> None:
        for process in self.running.values():
            process.kill()
            process.wait()

    def page(self, path: str) -> tuple[int, str]:
        request = urllib.request.Request(self.url + path, headers={"Host": "localhost:8000"})
        try:
            with urllib.request.urlopen(request, timeout=10) as answer:
                return answer.status, answer.read().decode()
        except urllib.error.HTTPError as refused:
            return refused.code, ""
        except OSError:
            return 0, ""

    def beaten(self) -> bool:
        with psycopg.connect(self.database_url) as connection:
            return bool(connection.execute("select 1 from samsaas_heartbeat where name = 'beat'").fetchone())


@pytest.fixture(scope="module")
def stack(tmp_path_factory: Any, postgres_url: str, redis_url: str) -> Iterator[Stack]:
    folder = tmp_path_factory.mktemp("compose")
    with empty_database(postgres_url) as url, ExitStack() as stopping:
        made = Stack(folder, url, redis_url)
        stopping.callback(made.kill_all)
        assert made.call("web", ["python", "manage.py", "collectstatic", "--noinput", "-v0"]) == 0
        assert made.call("migrate", made.services["services"]["migrate"]["command"]) == 0
        for name in ("web", "worker", "beat"):
            made.start(name)
        yield made


@contextmanager
def empty_database(server_url: str) -> Iterator[str]:
    name = f"compose_{secrets.token_hex(4)}"
    with psycopg.connect(server_url, autocommit=True) as connection:
        connection.execute(f"create database {name}")
        yield server_url.rpartition("/")[0] + f"/{name}"
        connection.execute(f"drop database {name} with (force)")


def until(wanted: Callable[[], bool], stack: Stack, *names: str) -> None:
    """Wait for it; show the logs of the services in question when it does not come."""
    deadline = time.monotonic() + PATIENCE
    while not wanted():
        if time.monotonic() > deadline or any(stack.running[name].poll() is not None for name in names):
            pytest.fail("\n".join(f"--- {name}\n{stack.log(name).read_text()[-4000:]}" for name in names))
        time.sleep(0.2)


def test_web_becomes_ready_and_shows_the_sign_in_page(stack: Stack) -> None:
    until(lambda: stack.page("/readyz")[0] == 200, stack, "web")
    status, page = stack.page("/accounts/login/")
    assert status == 200
    assert "/static/" in page


def test_static_files_are_served_under_their_hashed_names(stack: Stack) -> None:
    page = stack.page("/accounts/login/")[1]
    names = [part.split('"')[0] for part in page.split('="/static/')[1:]]
    assert names
    assert {stack.page(f"/static/{name}")[0] for name in names} == {200}


def test_access_log_leaves_out_the_query(stack: Stack) -> None:
    stack.page("/oauth_redirect.do?code=very-secret-code&state=very-secret-state")
    until(lambda: "GET /oauth_redirect.do" in stack.log("web").read_text(), stack, "web")
    assert "very-secret" not in stack.log("web").read_text()


def test_beat_reaches_the_worker_and_the_worker_the_database(stack: Stack) -> None:
    until(stack.beaten, stack, "beat", "worker")


def test_health_checks_of_the_compose_file_pass(stack: Stack) -> None:
    for name in ("web", "worker", "beat"):
        until(lambda name=name: stack.healthy(name), stack, name)  # type: ignore[misc]


def test_silent_process_is_unhealthy(stack: Stack) -> None:
    show = Path(stack.environment("worker")["ALIVE_FILE"])
    command = stack.services["services"]["worker"]["healthcheck"]["test"][1:]
    quiet = stack.folder / "quiet.alive"
    quiet.touch()
    os.utime(quiet, (time.time() - 120, time.time() - 120))
    environment = stack.environment("worker") | {"ALIVE_FILE": str(quiet)}
    assert show.exists()
    assert subprocess.run(command, cwd=compose.ROOT, env=environment).returncode == 1


def test_everything_stops_cleanly_within_its_grace_period(stack: Stack) -> None:
    """Last in this file: it stops what the other tests use."""
    exit_codes = {name: stack.stop(name) for name in ("beat", "worker", "web")}
    assert exit_codes == {"beat": 0, "worker": 0, "web": 0}


def test_nothing_was_written_beside_the_code(stack: Stack) -> None:
    """The containers' root is read-only: no pid file, no schedule file, no control socket."""
    new = {path.name for path in compose.ROOT.iterdir()} - stack.beside_the_code
    assert not [name for name in new if name.endswith((".pid", ".ctl")) or "celery" in name or "gunicorn" in name]
