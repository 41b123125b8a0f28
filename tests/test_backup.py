"""The commands of docs/operating.md make a backup that can be restored somewhere else, with the secrets in it."""

from __future__ import annotations

import os
import re
import secrets
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import psycopg
import pytest
from cryptography.fernet import Fernet

from tests import compose, migrated, servers

pytestmark = pytest.mark.own_database

PAGE = (compose.ROOT / "docs/operating.md").read_text()
SHOWN_URL = '"postgresql://samsaas:password@host/samsaas"'
STORE = """
from django.utils import timezone
from profiles.aliases import choose
from profiles.models import Credential
from samsaas import audit
alias = choose.free_alias("dropbox", "Europe")
Credential.objects.create(
    alias=alias, purpose="subscriptions", client_id="key", client_secret="a-secret", client_changed_at=timezone.now()
)
audit.record(None, "before the backup", None)
"""
READ = """
from django.db import Error
from profiles.models import Credential
from samsaas.models import AuditEntry
assert Credential.objects.get().client_secret == "a-secret"
assert AuditEntry.objects.filter(verb="before the backup").exists()
try:
    AuditEntry.objects.all().update(verb="changed")
except Error:
    print("restored")
"""


def shown(begins: str) -> str:
    """The one line of a command in the page that begins so."""
    (line,) = re.findall(rf"^{re.escape(begins)}.*$", PAGE, flags=re.MULTILINE)
    return line


class House:
    """An installation's keys, which stay while its database comes and goes."""

    def __init__(self) -> None:
        self.environment = {
            **os.environ,
            "SAMSAAS_ENV_FILE": os.devnull,
            "DJANGO_SETTINGS_MODULE": "samsaas.settings",
            "SECRET_KEY": secrets.token_urlsafe(50),
            "FIELD_ENCRYPTION_KEYS": Fernet.generate_key().decode(),
        }

    def run(self, database: str, code: str) -> str:
        command = [sys.executable, "manage.py", "shell", "--verbosity", "0", "-c", code]
        environment = self.environment | {"DATABASE_URL": database}
        done = subprocess.run(
            command, cwd=compose.ROOT, env=environment, capture_output=True, text=True, check=False, timeout=120
        )
        assert done.returncode == 0, done.stderr
        return done.stdout.strip()


def follow(command: str, folder: Path) -> None:
    """Run a line of the page as an operator's shell does."""
    done = subprocess.run(["sh", "-c", command], cwd=folder, capture_output=True, text=True, check=False, timeout=120)
    assert done.returncode == 0, done.stderr


def test_a_copy_of_sqlite_made_while_people_work_opens_elsewhere(tmp_path: Path) -> None:
    house, before = House(), tmp_path / "var" / "samsaas.sqlite3"
    migrated.put_sqlite(f"sqlite:///{before}")
    house.run(f"sqlite:///{before}", STORE)
    command = shown("python -c 'import sqlite3").replace("python ", f"{shlex.quote(sys.executable)} ", 1)
    follow(command, tmp_path)
    before.unlink()
    restored = tmp_path / "elsewhere.sqlite3"
    (tmp_path / "samsaas-backup.sqlite3").rename(restored)
    assert house.run(f"sqlite:///{restored}", READ) == "restored"


def test_a_dump_of_postgresql_is_restored_into_a_new_database(tmp_path: Path, postgres_url: str) -> None:
    if not (shutil.which("pg_dump") and shutil.which("pg_restore")):
        if servers.in_ci():
            pytest.fail("pg_dump is not installed.")
        pytest.skip("pg_dump is not installed.")
    house, name = House(), f"restored_{secrets.token_hex(4)}"
    new = f"{postgres_url.rpartition('/')[0]}/{name}"
    with migrated.on_postgresql(postgres_url) as old:
        house.run(old, STORE)
        follow(shown("pg_dump --format=custom").replace(SHOWN_URL, old), tmp_path)
    with psycopg.connect(postgres_url, autocommit=True) as connection:
        connection.execute(f"create database {name}")
    try:
        follow(shown("pg_restore --clean").replace(SHOWN_URL, new), tmp_path)
        assert house.run(new, READ) == "restored"
    finally:
        with psycopg.connect(postgres_url, autocommit=True) as connection:
            connection.execute(f"drop database {name} with (force)")
