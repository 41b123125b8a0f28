"""`manage.py doctor` in installations that are broken in one way each: what it finds, advises, and hides."""

from __future__ import annotations

import io
import json
import os
import re
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import time_machine
from cryptography.fernet import Fernet
from django.core.management import call_command
from django.db import connection, transaction
from django.db.models.functions import Now
from django.utils import timezone

from profiles.connectors.dropbox.sandbox import Sandbox, doors
from profiles.models import Credential, IntegrationProfile, JobRun
from samsaas import diagnosis
from samsaas.celery import app
from samsaas.diagnosis import jobs, vendors
from samsaas.models import Heartbeat
from tests import factories, servers

ROOT = Path(__file__).parents[2]
PASSWORD = "very-secret-password"
Findings = dict[str, dict[str, str]]


def examine(*arguments: str) -> tuple[int, Findings]:
    """The exit code of `doctor --json`, and the worst finding of every check by its name."""
    out, code = io.StringIO(), 0
    try:
        call_command("doctor", "--json", *arguments, stdout=out)
    except SystemExit as ended:
        code = int(str(ended.code))
    report = json.loads(out.getvalue())
    assert report["healthy"] is (code == 0)
    return code, by_check(report)


def by_check(report: dict[str, Any]) -> Findings:
    return {finding["check"]: finding for finding in sorted(report["findings"], key=lambda one: one["level"] != "OK")}


@pytest.fixture
def healthy(db: None, settings: Any, account: Callable[..., Any]) -> None:
    """Everything in order, so that a test breaks one thing and finds that one."""
    settings.DROPBOX_AUTHORIZE_URL = "https://www.dropbox.com/oauth2/authorize"
    settings.DROPBOX_TOKEN_URL = "https://api.dropboxapi.com/oauth2/token"
    settings.DROPBOX_API_URL = "https://api.dropboxapi.com"
    account("admin")
    Heartbeat.objects.create(name="beat", at=Now())


@pytest.fixture
def silent_server() -> Iterator[int]:
    """A port that accepts and never answers, as a hanging machine does."""
    with socket.create_server(("127.0.0.1", 0), backlog=50) as server:
        yield server.getsockname()[1]


# --- a healthy one ----------------------------------------------------------------------------------------------------


def test_a_healthy_installation_is_called_healthy(healthy):
    code, found = examine()
    assert code == 0 and {finding["level"] for finding in found.values()} == {diagnosis.OK}
    assert set(found) >= {"secret key", "encryption keys", "database", "migrations", "clock", "broker", "redirect URI"}
    assert "http://localhost:8000/oauth_redirect.do" in found["redirect URI"]["message"]


def test_the_report_for_people_says_the_same_and_ends_well(healthy):
    out = io.StringIO()
    call_command("doctor", stdout=out, no_color=True)
    lines = out.getvalue().splitlines()
    assert len(lines) == len(diagnosis.run()) and all(line.startswith("OK    ") for line in lines)


def test_the_doctor_leaves_no_trace(healthy):
    before = list(Heartbeat.objects.values_list("name", "at"))
    examine()
    assert list(Heartbeat.objects.values_list("name", "at")) == before


# --- settings ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("secret", ["", "short", "ab" * 40])
def test_a_missing_or_guessable_secret_key(healthy, settings, secret):
    settings.SECRET_KEY = secret
    code, found = examine()
    assert code == 1 and found["secret key"]["level"] == "FAIL"
    assert "50 random characters" in found["secret key"]["remedy"]


@pytest.mark.parametrize("keys", [[], [PASSWORD]])
def test_missing_or_malformed_encryption_keys(healthy, settings, keys):
    settings.FIELD_ENCRYPTION_KEYS = keys
    code, found = examine()
    assert code == 1 and found["encryption keys"]["level"] == "FAIL"
    assert "new_field_key" in found["encryption keys"]["remedy"] and PASSWORD not in str(found)
    assert found["stored secrets"]["level"] == "WARN"


def test_several_encryption_keys_are_counted(healthy, settings):
    settings.FIELD_ENCRYPTION_KEYS = [Fernet.generate_key().decode(), *settings.FIELD_ENCRYPTION_KEYS]
    assert "one to write with, and 1 older" in examine()[1]["encryption keys"]["message"]


@pytest.mark.parametrize(
    "address",
    [
        "samsaas.example.com",
        "ftp://samsaas.example.com",
        "https://samsaas.example.com/path",
        "https://samsaas.example.com?a=b",
        f"https://somebody:{PASSWORD}@samsaas.example.com",
        "http://samsaas.example.com",
    ],
)
def test_a_public_address_no_vendor_would_accept(healthy, settings, address):
    settings.PUBLIC_URL, settings.ALLOWED_HOSTS = address, ["samsaas.example.com"]
    code, found = examine()
    assert code == 1 and found["redirect URI"]["level"] == "FAIL"
    assert "https" in found["redirect URI"]["remedy"] and PASSWORD not in str(found)


def test_an_allowed_host_that_was_forgotten(healthy, settings):
    settings.PUBLIC_URL = "https://samsaas.example.com"
    settings.ALLOWED_HOSTS = ["old.example.com"]
    code, found = examine()
    assert code == 1 and "samsaas.example.com" in found["system check samsaas.E012"]["message"]


def test_https_without_a_trusted_proxy_would_redirect_for_ever(healthy, settings):
    settings.PUBLIC_URL, settings.HTTPS, settings.SECURE_SSL_REDIRECT = "https://localhost", True, True
    assert "TRUST_PROXY" in examine()[1]["proxy"]["remedy"]
    settings.TRUST_PROXY = True
    assert examine()[1]["proxy"]["level"] == "OK"


@pytest.mark.parametrize(("address", "level"), [("http://localhost:8000", "WARN"), ("https://s.example.com", "FAIL")])
def test_development_switches_matter_where_others_can_come(healthy, settings, address, level):
    settings.PUBLIC_URL, settings.ALLOWED_HOSTS, settings.SANDBOX = address, ["s.example.com", "localhost"], True
    found = examine()[1]["development switches"]
    assert (found["level"], found["message"]) == (level, "SANDBOX is on.")


def test_static_files_nobody_collected(healthy, settings, tmp_path):
    settings.WHITENOISE_USE_FINDERS, settings.STATIC_ROOT = False, tmp_path
    code, found = examine()
    assert code == 1 and "collectstatic" in found["static files"]["remedy"]
    (tmp_path / "staticfiles.json").write_text("{}")
    assert examine()[1]["static files"]["level"] == "OK"


def test_vendor_addresses_of_a_stand_in_and_unsafe_ones(healthy, settings):
    settings.DROPBOX_API_URL = "https://stand-in.example.com"
    found = examine()[1]["vendor Dropbox"]
    assert found["level"] == "WARN" and "DROPBOX_API_URL" in found["message"]
    settings.DROPBOX_TOKEN_URL = "http://stand-in.example.com/token"
    found = examine()[1]["vendor Dropbox"]
    assert found["level"] == "FAIL" and found["message"] == "Not https: DROPBOX_TOKEN_URL."


def test_a_check_that_breaks_is_reported_without_secrets_and_hides_no_other(healthy, settings, monkeypatch):
    settings.CELERY_BROKER_URL = f"redis://:{PASSWORD}@broker.example/0"
    key = settings.FIELD_ENCRYPTION_KEYS[0]

    def broker() -> Iterator[diagnosis.Finding]:
        raise RuntimeError(f"cannot use {PASSWORD} and {key}\nsecond line")

    monkeypatch.setattr(jobs, "broker", broker)
    code, found = examine()
    assert code == 1 and "RuntimeError: cannot use [redacted] and [redacted])" in found["broker"]["message"]
    assert found["secret key"]["level"] == "OK" and "LOG_LEVEL=DEBUG" in found["broker"]["remedy"]


# --- stored data ------------------------------------------------------------------------------------------------------


def test_secrets_under_an_older_key(healthy, settings):
    factories.credential(access_token="a token")
    settings.FIELD_ENCRYPTION_KEYS = [Fernet.generate_key().decode(), *settings.FIELD_ENCRYPTION_KEYS]
    code, found = examine()
    assert code == 0 and found["stored secrets"]["level"] == "WARN"
    assert found["stored secrets"]["message"] == "2 under an older key."
    assert "rotate_field_keys" in found["stored secrets"]["remedy"]


def test_secrets_under_a_lost_key(healthy, settings):
    factories.credential(access_token="a token")
    settings.FIELD_ENCRYPTION_KEYS = [Fernet.generate_key().decode()]
    code, found = examine()
    assert code == 1 and "cannot be decrypted" in found["stored secrets"]["message"]
    assert "--forget-lost" in found["stored secrets"]["remedy"]


def test_nobody_who_could_give_roles(healthy, django_user_model):
    django_user_model.objects.update(is_active=False)
    code, found = examine()
    assert code == 1 and "createsuperuser" in found["administrators"]["remedy"]


def test_profiles_that_wait_for_somebody_are_named(healthy):
    factories.profile(display_name="Asking", attention=IntegrationProfile.Attention.NEEDS_AUTHORISATION)
    assert "Need authorisation: Asking." in examine()[1]["integration profiles"]["message"]
    for number in range(7):
        factories.profile(display_name=f"Troubled {number}", attention=IntegrationProfile.Attention.REFRESH_FAILED)
    messages = [finding.message for finding in diagnosis.run() if finding.check == "integration profiles"]
    assert any("Troubled 4 and others" in message and "Troubled 5" not in message for message in messages)


def test_a_profile_whose_data_grows_old_unless_its_download_is_under_way(healthy):
    old = factories.profile(display_name="Old", refreshed_at=timezone.now() - timedelta(days=3))
    factories.profile(display_name="Fresh", refreshed_at=timezone.now())
    assert "Not refreshed for two days: Old." in examine()[1]["integration profiles"]["message"]
    factories.run(profile=old, state=JobRun.State.RUNNING, heartbeat_at=Now())
    assert examine()[1]["integration profiles"]["level"] == "OK"


def test_a_name_cannot_command_the_terminal(healthy):
    factories.profile(display_name="\x1b[2J\x07Gone", attention=IntegrationProfile.Attention.REFRESH_HELD)
    out = io.StringIO()
    call_command("doctor", stdout=out, no_color=True)
    assert "Gone" in out.getvalue() and out.getvalue().replace("\n", "").isprintable()


@pytest.mark.parametrize("seconds", [-60, 60])
def test_clocks_that_disagree(healthy, seconds):
    with time_machine.travel(timezone.now() + timedelta(seconds=seconds), tick=True):
        code, found = examine()
    assert code == 1 and "NTP" in found["clock"]["remedy"]
    assert found["clock"]["message"] in {f"This machine and the database differ by {near} s." for near in (59, 60, 61)}


def test_a_database_that_cannot_be_written(healthy):
    read_only, writable = (
        ("PRAGMA query_only = ON", "PRAGMA query_only = OFF")
        if connection.vendor == "sqlite"
        else ("SET LOCAL transaction_read_only = on", "SELECT 1")
    )
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(read_only)
        code, found = examine()
        cursor.execute(writable)
        transaction.set_rollback(True)  # PostgreSQL goes back to writing only with its savepoint
    assert (
        code == 1 and found["database writes"]["level"] == "FAIL" and "free space" in found["database writes"]["remedy"]
    )
    assert found["beat and worker"]["level"] == "OK"


# --- background -------------------------------------------------------------------------------------------------------


def test_a_beat_that_never_ran_and_one_that_fell_silent(healthy):
    Heartbeat.objects.update(at=Now() - timedelta(minutes=3))
    code, found = examine()
    assert code == 1 and found["beat and worker"]["message"].startswith("Silent since ")
    assert "exactly one beat" in found["beat and worker"]["remedy"]
    Heartbeat.objects.all().delete()
    code, found = examine()
    assert code == 0 and found["beat and worker"]["level"] == "WARN"


def test_runs_nobody_takes_and_runs_whose_worker_died(healthy):
    long_ago = timezone.now() - timedelta(hours=1)
    factories.run(state=JobRun.State.QUEUED, created_at=long_ago)
    factories.run(state=JobRun.State.RUNNING, heartbeat_at=long_ago)
    factories.run(state=JobRun.State.QUEUED, created_at=long_ago, not_before=timezone.now() + timedelta(hours=1))
    messages = {finding.message for finding in diagnosis.run() if finding.check == "job runs"}
    assert messages == {"1 running without a sign of life.", "1 due, and taken by nobody."}


def test_an_embedded_broker_serves_this_machine_only(healthy, settings):
    assert "Embedded" in examine()[1]["broker"]["message"]
    settings.PUBLIC_URL, settings.ALLOWED_HOSTS = "https://samsaas.example.com", ["samsaas.example.com"]
    found = examine()[1]["broker"]
    assert found["level"] == "WARN" and "CELERY_BROKER_URL" in found["remedy"]


@pytest.mark.redis
def test_a_redis_that_answers(healthy, settings, redis_url):
    settings.CELERY_BROKER_URL = redis_url
    found = examine()[1]["broker"]
    assert found["level"] == "OK" and "messages wait in it." in found["message"]


def test_a_broker_address_of_a_kind_that_does_not_exist(healthy, settings):
    settings.CELERY_BROKER_URL = f"redos://:{PASSWORD}@127.0.0.1:6379/0"
    code, found = examine()
    assert code == 1 and "starts with redos://" in found["broker"]["message"] and PASSWORD not in str(found)
    assert "redis://" in found["broker"]["remedy"]


@pytest.mark.redis
def test_messages_that_pile_up_without_a_worker(healthy, settings, redis_url, monkeypatch):
    settings.CELERY_BROKER_URL = redis_url.rpartition("/")[0] + "/5"
    with app.connection_for_write(url=settings.CELERY_BROKER_URL) as link:
        for _ in range(jobs.TOO_MANY_WAIT + 1):
            app.send_task("samsaas.schedule.sweep", connection=link)
        code, found = examine()
        link.default_channel.queue_purge(app.conf.task_default_queue)
    assert code == 1 and "31 messages wait" in found["broker"]["message"] and "worker" in found["broker"]["remedy"]


@pytest.mark.redis
def test_a_redis_that_wants_another_password(healthy, settings, redis_url):
    settings.CELERY_BROKER_URL = redis_url.replace("redis://", f"redis://somebody:{PASSWORD}@")
    code, found = examine()
    assert code == 1 and found["broker"]["level"] == "FAIL" and PASSWORD not in str(found)


def test_a_redis_that_is_down(healthy, settings):
    settings.CELERY_BROKER_URL = f"redis://:{PASSWORD}@127.0.0.1:{servers.free_port()}/0"
    code, found = examine()
    assert code == 1 and "refused" in found["broker"]["message"] and PASSWORD not in str(found)


# --- vendors ----------------------------------------------------------------------------------------------------------


@pytest.fixture
def stand_in(settings: Any) -> Iterator[str]:
    server = doors.serve(Sandbox()).start()
    settings.SANDBOX = True
    settings.DROPBOX_AUTHORIZE_URL = settings.DROPBOX_TOKEN_URL = settings.DROPBOX_API_URL = server.url
    yield server.url
    server.shutdown()


def test_a_vendor_is_asked_only_when_wished_and_any_answer_will_do(healthy, stand_in):
    assert "answers" not in examine()[1]["vendor Dropbox"]["message"]
    code, found = examine("--vendor")
    assert code == 0 and found["vendor Dropbox"]["message"] == f"{stand_in} answers."


def test_a_vendor_that_cannot_be_reached(healthy, stand_in, settings):
    settings.DROPBOX_API_URL = f"http://127.0.0.1:{servers.free_port()}"
    code, found = examine("--vendor")
    assert code == 1 and "HTTPS_PROXY" in found["vendor Dropbox"]["remedy"]
    assert "refused" in found["vendor Dropbox"]["message"] and "Max retries" not in found["vendor Dropbox"]["message"]


def test_a_consent_page_that_only_browsers_reach_is_no_finding(healthy, stand_in, settings):
    settings.DROPBOX_AUTHORIZE_URL = f"http://127.0.0.1:{servers.free_port()}/oauth2/authorize"
    assert examine("--vendor")[0] == 0


def test_a_vendor_that_accepts_and_never_answers(healthy, stand_in, settings, silent_server, monkeypatch):
    monkeypatch.setattr(vendors, "SECONDS", 0.3)
    settings.DROPBOX_API_URL = f"http://127.0.0.1:{silent_server}"
    code, found = examine("--vendor")
    assert code == 1 and "timed out" in found["vendor Dropbox"]["message"]


def test_a_machine_whose_clock_is_not_the_vendors(healthy, stand_in, monkeypatch):
    """A warning only: it may be the vendor's clock that is wrong."""
    monkeypatch.setattr(vendors, "timezone", SimpleNamespace(now=lambda: datetime.now(UTC) + timedelta(minutes=10)))
    code, found = examine("--vendor")
    assert code == 0 and found["vendor Dropbox"]["level"] == "WARN" and "NTP" in found["vendor Dropbox"]["remedy"]
    assert re.search(r"differ by (599|600|601) s", found["vendor Dropbox"]["message"])


# --- whole installations, as the operator meets them ------------------------------------------------------------------


def doctor(**variables: str) -> tuple[int, Findings, str]:
    """Exit code, findings and all output of the real command in an environment of its own.

    The time limit is the promise: whatever is silent, the doctor answers.
    """
    environment = {"PATH": os.environ["PATH"], "SAMSAAS_ENV_FILE": os.devnull, **variables}
    command = [sys.executable, "manage.py", "doctor", "--json"]
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=20)
    output = done.stdout + done.stderr
    assert PASSWORD not in output and "Traceback" not in output
    return done.returncode, by_check(json.loads(done.stdout)) if done.stdout else {}, output


@pytest.mark.own_database
def test_nothing_is_set_at_all(tmp_path):
    nowhere = tmp_path / "nowhere.sqlite3"
    code, found, _ = doctor(DATABASE_URL=f"sqlite:///{nowhere}")
    failed = {check for check, finding in found.items() if finding["level"] == "FAIL"}
    assert code == 1 and failed >= {"secret key", "encryption keys", "database"}
    assert "There is no file" in found["database"]["message"] and not nowhere.exists()
    assert found["stored data"]["message"] == "Not looked at."


@pytest.mark.own_database
def test_a_database_without_its_tables(tmp_path):
    (tmp_path / "empty.sqlite3").touch()
    code, found, _ = doctor(DATABASE_URL=f"sqlite:///{tmp_path / 'empty.sqlite3'}")
    assert code == 1 and found["migrations"]["remedy"] == "Run manage.py migrate."
    assert "stored data" in found and "administrators" not in found


@pytest.mark.own_database
def test_a_database_and_a_broker_that_are_down():
    nothing = servers.free_port()
    code, found, _ = doctor(
        DATABASE_URL=f"postgres://samsaas:{PASSWORD}@127.0.0.1:{nothing}/samsaas",
        CELERY_BROKER_URL=f"redis://:{PASSWORD}@127.0.0.1:{nothing}/0",
    )
    assert code == 1 and "Unreachable" in found["database"]["message"] and found["broker"]["level"] == "FAIL"


@pytest.mark.own_database
def test_a_database_and_a_broker_that_accept_and_never_answer(silent_server):
    code, found, _ = doctor(
        DATABASE_URL=f"postgres://samsaas:{PASSWORD}@127.0.0.1:{silent_server}/samsaas?connect_timeout=2",
        CELERY_BROKER_URL=f"redis://:{PASSWORD}@127.0.0.1:{silent_server}/0",
    )
    assert code == 1 and "Unreachable" in found["database"]["message"]
    assert f"127.0.0.1:{silent_server}/0 does not answer" in found["broker"]["message"]


@pytest.mark.own_database
@pytest.mark.parametrize("name", ["DATABASE_URL", "CELERY_BROKER_URL"])
def test_a_password_that_breaks_an_address_is_not_shown(name):
    code, found, output = doctor(**{name: f"postgres://samsaas:{PASSWORD}/and-more@db.example/samsaas"})
    assert code == 1 and not found
    assert f"The settings cannot be used: {name} has to be an address" in output
    assert "percent-encoded" in output


@pytest.mark.own_database
def test_a_first_key_can_be_made_before_anything_is_set():
    command = [sys.executable, "manage.py", "new_field_key"]
    environment = {"PATH": os.environ["PATH"], "SAMSAAS_ENV_FILE": os.devnull}
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=True)
    assert Fernet(done.stdout.strip())


def test_credentials_are_never_part_of_a_report(healthy):
    factories.credential(client_secret=PASSWORD, access_token=PASSWORD, state=Credential.State.CONNECTED)
    assert PASSWORD not in str(examine())
