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


@contextmanager
def postgres() -> Iterator[str]:
    """A throw-away cluster, or the server that `DATABASE_URL_TEST` names; gives its database URL."""
    if given := os.environ.get("DATABASE_URL_TEST"):
        yield given
        return
    with postgres_cluster("samsaas") as url:
        yield url


@contextmanager
def postgres_cluster(superuser: str) -> Iterator[str]:
    """A throw-away cluster; gives its database URL. PostgreSQL refuses to run as root, so root lends it a user."""
    programs, port = postgres_programs(), free_port()
    account = _unprivileged()
    folder = Path(tempfile.mkdtemp(prefix="samsaas-pg-"))
    if account:
        os.chown(folder, account["user"], account["group"])
    try:
        data = folder / "data"
        init = [programs / "initdb", "-D", data, "-U", superuser, "-A", "trust", "-E", "UTF8", "--no-sync"]
        subprocess.run(init, check=True, stdout=subprocess.DEVNULL, cwd=folder, **account)
        options = ["-p", str(port), "-k", str(folder), "-h", "127.0.0.1", "-F", "-c", "full_page_writes=off"]
        server = subprocess.Popen(
            [programs / "postgres", "-D", data, *options],
            cwd=folder,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            **account,
        )
        try:
            wait_for_port(port, server)
            yield f"postgres://{superuser}@127.0.0.1:{port}/postgres"
        finally:
            server.send_signal(signal.SIGINT)  # fast shutdown: a connection somebody forgot does not hold it up
            server.wait(DEADLINE)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


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
