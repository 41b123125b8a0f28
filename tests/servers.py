"""Real PostgreSQL and Redis servers for the tests, started in a temporary folder on free ports.

`DATABASE_URL_TEST` and `REDIS_URL` name servers to use instead. Where a server's programs are missing its tests are
skipped, except in CI: there a missing server is a failure.
"""

from __future__ import annotations

import os
import pwd
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psycopg

DEADLINE = 30.0


class Missing(Exception):
    """A program that these tests need is not installed."""


def in_ci() -> bool:
    return os.environ.get("CI", "").lower() == "true"


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def wait_for_port(port: int, process: subprocess.Popen[bytes]) -> None:
    until = time.monotonic() + DEADLINE
    while time.monotonic() < until:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        if process.poll() is not None:
            raise RuntimeError(f"The server ended with {process.returncode} before it answered.")
        time.sleep(0.05)
    raise RuntimeError(f"Nothing listens on port {port}.")


def postgres_programs() -> Path:
    """The newest installed server's folder of programs. Raises `Missing`."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda path: int(path.parts[4]))
    on_path = shutil.which("initdb")
    if not found and not on_path:
        raise Missing("PostgreSQL (initdb) is not installed.")
    return found[-1].parent if found else Path(str(on_path)).parent


def _unprivileged() -> dict[str, Any]:
    """For `subprocess`: as whom to run PostgreSQL. Nothing to say unless we are root. Raises `Missing`."""
    if os.geteuid() != 0:
        return {}
    try:
        account = pwd.getpwnam("postgres")
    except KeyError:
        raise Missing("PostgreSQL does not run as root, and there is no user postgres to run it.") from None
    return {"user": account.pw_uid, "group": account.pw_gid, "extra_groups": []}


class Cluster:
    """A throw-away PostgreSQL, which refuses to run as root, so root lends it a user. It may stop and start again."""

    def __init__(self, folder: Path, superuser: str = "samsaas") -> None:
        self.programs, self.port, self._account = postgres_programs(), free_port(), _unprivileged()
        self.url = f"postgres://{superuser}@127.0.0.1:{self.port}/postgres"
        self.data = folder / "data"
        self._folder = folder
        self._server: subprocess.Popen[bytes] | None = None
        if self._account:
            os.chown(folder, self._account["user"], self._account["group"])
        init = [self.programs / "initdb", "-D", self.data, "-U", superuser, "-A", "trust", "-E", "UTF8", "--no-sync"]
        subprocess.run(init, check=True, stdout=subprocess.DEVNULL, cwd=folder, **self._account)

    def start(self) -> None:
        """Returns when it answers."""
        options = ["-p", str(self.port), "-k", str(self._folder), "-h", "127.0.0.1"]
        unsafe = ["-F", "-c", "full_page_writes=off"]
        # A proof plays weeks in one transaction, and every table that was made in it holds a lock until the end.
        roomy = ["-c", "max_locks_per_transaction=1024"]
        self._server = subprocess.Popen(
            [self.programs / "postgres", "-D", self.data, *options, *unsafe, *roomy],
            cwd=self._folder,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            **self._account,
        )
        wait_for_port(self.port, self._server)
        self.wait_until_it_answers()

    def wait_until_it_answers(self) -> None:
        """It takes connections a moment before it answers them."""
        until = time.monotonic() + DEADLINE
        while True:
            try:
                psycopg.connect(self.url, connect_timeout=2).close()
            except psycopg.OperationalError:
                if time.monotonic() > until:
                    raise
                time.sleep(0.05)
            else:
                return

    def stop(self, how: int = signal.SIGINT) -> None:
        """By default a fast shutdown: a connection somebody forgot does not hold it up."""
        if self._server:
            self._server.send_signal(how)
            self._server.wait(DEADLINE)
            self._server = None


@contextmanager
def cluster(superuser: str = "samsaas") -> Iterator[Cluster]:
    """A running one of the caller's own."""
    folder = Path(tempfile.mkdtemp(prefix="samsaas-pg-"))
    try:
        made = Cluster(folder, superuser)
        made.start()
        try:
            yield made
        finally:
            made.stop()
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def postgres() -> Iterator[str]:
    """The database URL of a running server."""
    if given := os.environ.get("DATABASE_URL_TEST"):
        yield given
        return
    with cluster() as made:
        yield made.url


@contextmanager
def redis() -> Iterator[str]:
    """A throw-away Redis without persistence; gives its URL."""
    if given := os.environ.get("REDIS_URL"):
        yield given
        return
    program, port = shutil.which("redis-server"), free_port()
    if not program:
        raise Missing("redis-server is not installed.")
    with tempfile.TemporaryDirectory(prefix="samsaas-redis-") as folder:
        command = [program, "--port", str(port), "--bind", "127.0.0.1", "--save", "", "--dir", folder]
        server = subprocess.Popen(command, stdout=subprocess.DEVNULL)
        try:
            wait_for_port(port, server)
            yield f"redis://127.0.0.1:{port}/0"
        finally:
            server.terminate()
            server.wait(DEADLINE)


def nginx() -> str:
    """The path of nginx. Raises `Missing`."""
    found = shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin:/usr/local/sbin")
    if not found:
        raise Missing("nginx is not installed.")
    return found


def chromium() -> str:
    """The path of the system's browser. Raises `Missing`."""
    found = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if not found:
        raise Missing("Chromium is not installed.")
    return found
