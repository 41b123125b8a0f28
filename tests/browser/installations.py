"""Whole installations, as a person would start them: the demo, one process, and PostgreSQL, Redis and workers."""

from __future__ import annotations

import os
import re
import secrets
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from cryptography.fernet import Fernet

from profiles.connectors.dropbox.sandbox import Sandbox, serving
from tests import migrated, servers

ROOT = Path(__file__).parents[2]
PATIENCE = 90.0
PYTHON = sys.executable
BEAT = ("-m", "celery", "-A", "samsaas.liveness", "beat", "--pidfile=", "--loglevel", "INFO")
UNWANTED = ("SECRET_KEY", "FIELD_ENCRYPTION_KEYS", "DATABASE_URL", "CELERY_BROKER_URL", "PUBLIC_URL", "ALLOWED_HOSTS")


@dataclass
class Installation:
    """Where it answers, who may sign in, and its processes by name."""

    url: str
    password: str
    username: str = "admin"
    sandbox: Sandbox | None = None
    environment: dict[str, str] = field(default_factory=dict)
    processes: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)
    folder: Path = Path()

    def start(self, name: str, *command: str) -> None:
        log = (self.folder / f"{name}.log").open("ab")
        self.processes[name] = subprocess.Popen(
            [PYTHON, *command], cwd=ROOT, env=self.environment, stdout=log, stderr=log, start_new_session=True
        )

    def kill(self, name: str) -> None:
        """As the machine would: without a word, children too."""
        process = self.processes.pop(name)
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()

    def manage(self, *arguments: str, **more: str) -> str:
        done = subprocess.run(
            [PYTHON, "manage.py", *arguments],
            cwd=ROOT,
            env={**self.environment, **more},
            check=True,
            capture_output=True,
        )
        return done.stdout.decode()

    def logs(self) -> str:
        return "\n".join(f"--- {path.name}\n{path.read_text()[-3000:]}" for path in self.folder.glob("*.log"))


def clean_environment(**more: str) -> dict[str, str]:
    kept = {
        name: value for name, value in os.environ.items() if name not in UNWANTED and not name.startswith("DROPBOX")
    }
    kept.pop("DJANGO_SETTINGS_MODULE", None)
    return {**kept, **more}


def wait_until_it_answers(url: str, installation: Installation) -> None:
    until = time.monotonic() + PATIENCE
    while time.monotonic() < until:
        try:
            with urllib.request.urlopen(f"{url}/readyz", timeout=5) as answer:
                if answer.status == 200:
                    return
        except (urllib.error.URLError, OSError):
            time.sleep(0.2)
        if any(process.poll() is not None for process in installation.processes.values()):
            break
    raise AssertionError(installation.logs())


@contextmanager
def embedded(folder: Path, *, with_story: bool = False) -> Iterator[Installation]:
    """`manage.py demo`: one process, SQLite, no Redis; stopped with Ctrl-C. Without its story it begins empty."""
    port = servers.free_port()
    made = Installation(url=f"http://localhost:{port}", password="", folder=folder)
    said_at_once = {"PYTHONUNBUFFERED": "1", "PYTHONFAULTHANDLER": "1"}
    made.environment = clean_environment(SAMSAAS_DEMO_DIR=str(folder / "demo"), **said_at_once)
    ports = ("--port", str(port), "--sandbox-port", str(servers.free_port()))
    migrated.put_sqlite(f"sqlite:///{folder}/demo/samsaas.sqlite3")
    made.start("demo", "manage.py", "demo", *(() if with_story else ("--empty",)), *ports)
    try:
        wait_until_it_answers(made.url, made)
        made.password = told_password(folder / "demo.log")
        yield made
    finally:
        end(made, "demo")


def end(installation: Installation, name: str) -> None:
    """Ctrl-C ends the process with code 0. One that stays is made to say where each of its threads stands."""
    process = installation.processes[name]
    process.send_signal(signal.SIGINT)
    try:
        assert process.wait(PATIENCE) == 0, installation.logs()
    except subprocess.TimeoutExpired as late:
        process.send_signal(signal.SIGABRT)
        process.wait(PATIENCE)
        raise AssertionError(installation.logs()) from late


def told_password(console: Path) -> str:
    """What the demo prints once, a moment after its pages answer."""
    until = time.monotonic() + PATIENCE
    while not (found := re.search(r"^ +admin +(\S+)$", console.read_text(), re.MULTILINE)):
        assert time.monotonic() < until, console.read_text()
        time.sleep(0.1)
    return found[1]


@contextmanager
def services(folder: Path, database_url: str, broker_url: str, **settings: str) -> Iterator[Installation]:
    """gunicorn, worker and beat as processes of their own.

    `database_url` is that of a migrated database, or of a SQLite file that does not exist yet.
    """
    with set_up(folder, database_url, CELERY_BROKER_URL=broker_url, WEB_WORKERS="1", **settings) as made:
        made.start("web", "-m", "gunicorn", "--config", "samsaas/gunicorn_conf.py")
        made.start("worker", *worker_command())
        made.start("beat", *BEAT)
        wait_until_it_answers(made.url, made)
        yield made


@contextmanager
def one_process(folder: Path, **settings: str) -> Iterator[Installation]:
    """`manage.py serve`: a real installation without Redis, on SQLite. Its mails and webhooks are really sent."""
    with set_up(folder, f"sqlite:///{folder}/samsaas.sqlite3", **settings) as made:
        made.start("serve", "manage.py", "serve")
        wait_until_it_answers(made.url, made)
        yield made


@contextmanager
def set_up(folder: Path, database_url: str, **settings: str) -> Iterator[Installation]:
    """One with its first account and no process yet. The sandbox is in this process, so that tests can break it."""
    port = servers.free_port()
    url = f"http://localhost:{port}"
    if database_url.startswith("sqlite:"):
        migrated.put_sqlite(database_url)
    with ExitStack() as stack:
        sandbox = Sandbox(redirect_uris=[f"{url}/oauth_redirect.do"])
        vendor = serving.serve(sandbox, "localhost").start()
        stack.callback(vendor.shutdown)
        there = f"http://localhost:{vendor.server_address[1]}"
        made = Installation(url=url, password=secrets.token_urlsafe(12), sandbox=sandbox, folder=folder)
        made.environment = clean_environment(
            SAMSAAS_ENV_FILE=os.devnull,
            SECRET_KEY=secrets.token_urlsafe(50),
            FIELD_ENCRYPTION_KEYS=Fernet.generate_key().decode(),
            PUBLIC_URL=url,
            WEB_BIND=f"127.0.0.1:{port}",
            DATABASE_URL=database_url,
            SERVE_UNCOLLECTED_STATIC="true",
            STATIC_ROOT="var",
            DROPBOX_AUTHORIZE_URL=f"{there}/oauth2/authorize",
            DROPBOX_TOKEN_URL=f"{there}/oauth2/token",
            DROPBOX_API_URL=there,
            **settings,
        )
        made.manage(
            "createsuperuser",
            "--noinput",
            "--username",
            "admin",
            "--email",
            "admin@example.com",
            DJANGO_SUPERUSER_PASSWORD=made.password,
        )
        stack.callback(lambda: [made.kill(name) for name in list(made.processes)])
        yield made


def worker_command() -> tuple[str, ...]:
    return ("-m", "celery", "-A", "samsaas.liveness", "worker", "--concurrency", "1", "--loglevel", "INFO")
