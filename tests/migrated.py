"""Databases as `migrate` leaves them, made once and copied: the tests' own, and those of most installations.

To make every table from nothing takes many seconds, and dozens of databases are set up. Those that test the first start
itself begin with no database at all.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import secrets
import shutil
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import psycopg
from cryptography.fernet import Fernet

from tests import compose

OUTDATED = 86_400  # seconds since its last use; several branches may be at work on one machine


def put_sqlite(url: str) -> None:
    """Write a migrated database where the URL of a SQLite file says, `sqlite:///…`."""
    file = Path(urlsplit(url).path)
    file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    with _template_of_sqlite() as template:
        shutil.copyfile(template, file)


@contextmanager
def _template_of_sqlite() -> Iterator[Path]:
    with _held("sqlite") as folder:
        template = folder / f"{_release()}.sqlite3"
        if not template.exists():
            for left in (*folder.glob("*.sqlite3*"), *folder.glob("*.lock")):
                if time.time() - left.stat().st_mtime > OUTDATED or left.name.startswith(f"fresh_{_release()}"):
                    left.unlink(missing_ok=True)
            fresh = folder / f"fresh_{_release()}.sqlite3"
            _migrate(f"sqlite:///{fresh}")
            fresh.rename(template)
        template.touch()
        yield template


@contextmanager
def on_postgresql(server_url: str) -> Iterator[str]:
    """The URL of a migrated database of its own, which is dropped at the end."""
    name = _copy_on_postgresql(server_url)
    try:
        yield f"{server_url.rpartition('/')[0]}/{name}"
    finally:
        with psycopg.connect(server_url, autocommit=True) as connection:
            connection.execute(f"drop database {name} with (force)")


def open_for_process() -> None:
    """Have this process work on a migrated database of its own. It goes with the process, or with the server."""
    from django.db import connection  # noqa: PLC0415 - Django is set up by then

    if connection.vendor == "postgresql":
        connection.settings_dict["NAME"] = _copy_on_postgresql(os.environ["DATABASE_URL"])
        return
    connection.settings_dict["NAME"] = ":memory:"
    connection.ensure_connection()
    with _template_of_sqlite() as template, closing(sqlite3.connect(template)) as migrated:
        migrated.backup(connection.connection)


@contextmanager
def of_the_tests(database: dict[str, Any]) -> Iterator[None]:
    """Give Django's test runner a migrated database to keep, instead of one that it would have to migrate."""
    if database["ENGINE"].endswith("sqlite3"):
        file = Path(database["TEST"]["NAME"])
        put_sqlite(f"sqlite:///{file}")
        try:
            yield
        finally:
            for left in file.parent.glob(f"{file.name}*"):
                left.unlink()
        return
    with on_postgresql(os.environ["DATABASE_URL"]) as url:
        database["TEST"]["NAME"] = url.rpartition("/")[2]
        yield


def _copy_on_postgresql(server_url: str) -> str:
    """The name of a new migrated database on a server."""
    name = f"migrated_{secrets.token_hex(4)}"
    with psycopg.connect(server_url, autocommit=True) as connection:
        template = _template_on(connection, server_url.rpartition("/")[0])
        connection.execute(f"create database {name} template {template}")
    return name


def _template_on(connection: psycopg.Connection, server: str) -> str:
    template = f"template_{_release()}"
    with _held("postgresql"):
        if not connection.execute("select 1 from pg_database where datname = %s", [template]).fetchone():
            fresh = f"fresh_{_release()}"
            connection.execute(f"drop database if exists {fresh} with (force)")
            connection.execute(f"create database {fresh}")
            _migrate(f"{server}/{fresh}")
            connection.execute(f"alter database {fresh} rename to {template}")
    return template


def _migrate(url: str) -> None:
    environment = {
        **os.environ,
        "DATABASE_URL": url,
        "DJANGO_SETTINGS_MODULE": "samsaas.settings",
        "SAMSAAS_ENV_FILE": os.devnull,
        "SECRET_KEY": secrets.token_urlsafe(50),
        "FIELD_ENCRYPTION_KEYS": Fernet.generate_key().decode(),
    }
    command = [sys.executable, "manage.py", "migrate", "--noinput", "--verbosity", "0"]
    subprocess.run(command, cwd=compose.ROOT, env=environment, check=True)


@cache
def _release() -> str:
    """Tells apart what different code leaves: after its migrations `migrate` also makes groups and triggers."""
    told = hashlib.sha256()
    for app in ("samsaas", "profiles", "subscriptions", "reclamation"):
        for path in sorted((compose.ROOT / app).rglob("*.py")):
            told.update(str(path.relative_to(compose.ROOT)).encode() + path.read_bytes())
    return told.hexdigest()[:16]


@contextmanager
def _held(kind: str) -> Iterator[Path]:
    """The folder of the templates, for one process at a time, kind and release. Runs beside one another share it."""
    folder = Path(tempfile.gettempdir()) / f"samsaas-migrated-{os.getuid()}" / kind
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    with (folder / f"{_release()}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield folder
