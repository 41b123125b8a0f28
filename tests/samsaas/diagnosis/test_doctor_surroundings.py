"""`manage.py doctor` and what surrounds an installation: beat, workers, broker, vendors, and an empty machine."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from cryptography.fernet import Fernet
from django.db.models.functions import Now
from django.utils import timezone

from profiles.connectors.dropbox.sandbox import Sandbox, serving
from profiles.models import JobRun
from samsaas import diagnosis
from samsaas.celery import app
from samsaas.diagnosis import jobs, vendors
from samsaas.models import Heartbeat
from tests import factories, servers
from tests.samsaas.diagnosis.doctor_world import PASSWORD, Findings, by_check, examine

ROOT = Path(__file__).parents[3]

# --- background -------------------------------------------------------------------------------------------------------


def fall_silent(*names: str, **since: int) -> None:
    Heartbeat.objects.filter(name__in=names).update(at=Now() - timedelta(**since))


@pytest.mark.parametrize(("missing", "other"), [("worker", "beat"), ("beat", "worker")])
def test_the_process_that_is_missing_is_named_with_its_command(healthy, settings, missing, other):
    settings.CELERY_BROKER_URL = "redis://127.0.0.1:1/0"
    fall_silent(missing, "sweep", minutes=3)
    code, found = examine()
    assert code == 1 and found[missing]["message"] == "Silent for 3 min." and found[other]["level"] == "OK"
    assert f"celery -A samsaas.liveness {missing}" in found[missing]["remedy"]
    assert "ticks" not in found, "what the missing one causes is no finding of its own"
    Heartbeat.objects.filter(name=missing).delete()
    _, found = examine()
    assert found[missing]["level"] == "WARN" and found[missing]["message"] == "It has never run here."


def test_an_embedded_worker_that_is_missing_is_started_with_serve(healthy):
    fall_silent("worker", "beat", "sweep", hours=3)
    code, found = examine()
    assert (
        code == 1 and found["worker"]["message"] == "Silent for 3 h." and "manage.py serve" in found["beat"]["remedy"]
    )


def test_a_beat_that_the_worker_does_not_hear(healthy):
    """Both report to the same database, and each has a broker of its own, or every slot is busy."""
    fall_silent("sweep", minutes=5)
    code, found = examine()
    assert code == 1 and "for 5 min" in found["ticks"]["message"] and "CELERY_BROKER_URL" in found["ticks"]["remedy"]
    assert found["worker"]["level"] == found["beat"]["level"] == "OK"


def test_runs_nobody_takes_and_runs_whose_worker_died(healthy):
    long_ago = timezone.now() - timedelta(hours=1)
    factories.run(state=JobRun.State.QUEUED, created_at=long_ago)
    factories.run(state=JobRun.State.RUNNING, heartbeat_at=long_ago)
    factories.run(state=JobRun.State.QUEUED, created_at=long_ago, not_before=timezone.now() + timedelta(hours=1))
    messages = {finding.message for finding in diagnosis.run() if finding.check == "job runs"}
    assert messages == {"1 running without a heartbeat.", "1 due, and no worker takes them."}


def test_without_a_broker_the_doctor_says_which_processes_can_run(healthy):
    found = examine()[1]["broker"]
    assert found["level"] == "OK" and "manage.py serve" in found["message"] and "refuse to start" in found["message"]


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
    server = serving.serve(Sandbox()).start()
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
    """Exit code, findings and all output of the real command, run as a process with its own environment.

    The time limit proves that the doctor answers even if nothing else does.
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
    assert found["stored data"]["message"] == "Not checked."


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
