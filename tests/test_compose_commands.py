"""The compose file's own commands, started as plain processes on a real PostgreSQL and a real Redis.

The nearest thing to `docker compose up` without an engine: same commands, same variables, same secrets, same role in
the database, same health checks, same order, and the same signal at the end.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import psycopg
import pytest

from tests import compose, servers
from tests.conftest import needs

pytestmark = [pytest.mark.redis, pytest.mark.own_database]

PATIENCE = 90.0
BEHIND_PYTHON = {"PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"}


class Stack:
    """The services of the compose file, with our servers in the place of its own."""

    def __init__(self, folder: Path, database_url: str, redis_url: str) -> None:
        self.folder, self.database_url = folder, database_url
        self.port = servers.free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.services = compose.load({})
        for name, address in (("database_url", database_url), ("broker_url", redis_url)):
            (folder / "secrets" / name).chmod(0o600)
            (folder / "secrets" / name).write_text(f"{address}\n")
        self.here = {
            "WEB_BIND": f"127.0.0.1:{self.port}",
            "STATIC_ROOT": str(folder / "static"),
            "SAMSAAS_ENV_FILE": os.devnull,
            "HOME": "/nonexistent",
        }
        self.running: dict[str, subprocess.Popen[bytes]] = {}
        self.beside_the_code = {path.name for path in compose.ROOT.iterdir()}

    def environment(self, name: str) -> dict[str, str]:
        """A process has those secrets only that the compose file gives to its service."""
        own = compose.with_secrets_of(self.services["services"][name], self.folder / "secrets") | self.here
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
def cluster(tmp_path_factory: Any) -> Iterator[tuple[Path, str]]:
    """A PostgreSQL as its image leaves it after the first start; gives the folder and the superuser's address."""
    folder = tmp_path_factory.mktemp("compose")
    compose.make_secrets(folder / "secrets")
    server = servers.cluster("postgres")
    superuser_url = needs(server.__enter__).url
    parts = urlsplit(superuser_url)
    password = {"APPLICATION_PASSWORD_FILE": str(folder / "secrets/database_password")}
    environment = {"PATH": os.environ["PATH"], "PGHOST": str(parts.hostname), "PGPORT": str(parts.port), **password}
    script = compose.ROOT / "deploy/postgres/create-application-role.sh"
    subprocess.run([script], env=environment, check=True, stdout=subprocess.DEVNULL)
    yield folder, superuser_url
    server.__exit__(None, None, None)


@pytest.fixture(scope="module")
def stack(cluster: tuple[Path, str], redis_url: str) -> Iterator[Stack]:
    folder, superuser_url = cluster
    with ExitStack() as stopping:
        made = Stack(folder, superuser_url.replace("postgres@", "samsaas@").replace("/postgres", "/samsaas"), redis_url)
        stopping.callback(made.kill_all)
        assert made.call("web", ["python", "manage.py", "collectstatic", "--noinput", "-v0"]) == 0
        assert made.call("migrate", made.services["services"]["migrate"]["command"]) == 0
        for name in ("web", "worker", "beat"):
            made.start(name)
        yield made


def until(wanted: Callable[[], bool], stack: Stack, *names: str) -> None:
    """Wait for it; show the logs of the services in question when it does not come."""
    deadline = time.monotonic() + PATIENCE
    while not wanted():
        if time.monotonic() > deadline or any(stack.running[name].poll() is not None for name in names):
            pytest.fail("\n".join(f"--- {name}\n{stack.log(name).read_text()[-4000:]}" for name in names))
        time.sleep(0.2)


def test_the_application_owns_its_database_and_is_no_superuser(stack: Stack, cluster: tuple[Path, str]) -> None:
    facts = "select rolsuper, rolcreatedb, rolcreaterole, rolreplication, rolbypassrls from pg_roles where rolname = %s"
    with psycopg.connect(cluster[1]) as connection:
        assert connection.execute(facts, ["samsaas"]).fetchone() == (False,) * 5
        stored = connection.execute("select rolpassword from pg_authid where rolname = 'samsaas'").fetchone()
        assert stored and stored[0].startswith("SCRAM-SHA-256$")
    with psycopg.connect(stack.database_url) as connection:
        extension = connection.execute("select 1 from pg_extension where extname = 'pg_trgm'").fetchone()
        assert extension, "migrate created it with the application's own role"
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            connection.execute("copy (select 1) to program 'true'")
    with pytest.raises(psycopg.OperationalError, match="permission denied"):
        psycopg.connect(stack.database_url.removesuffix("samsaas") + "postgres")


def test_redis_asks_for_the_password_and_shows_it_to_nobody(cluster: tuple[Path, str]) -> None:
    service, port = compose.load({})["services"]["redis"], servers.free_port()
    folder = str(cluster[0] / "secrets")
    script = (
        service["command"][0].replace("/run/secrets", folder).replace("redis-server -", f"redis-server - --port {port}")
    )
    redis = needs(lambda: start_redis([*service["entrypoint"], script]))
    try:
        servers.wait_for_port(port, redis)
        check = service["healthcheck"]["test"][1].replace("/run/secrets", folder).replace("-cli", f"-cli -p {port}")
        assert subprocess.run(["sh", "-c", check]).returncode == 0
        answer = subprocess.run(["redis-cli", "-p", str(port), "info"], capture_output=True, text=True).stdout
        assert answer.startswith("NOAUTH")
        shown = Path(f"/proc/{redis.pid}/cmdline").read_text()
        assert "redis-server" in shown and (cluster[0] / "secrets/redis_password").read_text().strip() not in shown
    finally:
        redis.terminate()
        assert redis.wait(10) == 0


def start_redis(command: list[str]) -> subprocess.Popen[bytes]:
    if not shutil.which("redis-server"):
        raise servers.Missing("redis-server is not installed.")
    return subprocess.Popen(command, stdout=subprocess.DEVNULL)


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
