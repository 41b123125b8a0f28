"""`manage.py doctor` in an installation with one fault in its settings or stored data: what it finds and advises."""

from __future__ import annotations

import io
from collections.abc import Iterator
from datetime import timedelta

import pytest
import time_machine
from cryptography.fernet import Fernet
from django.core.management import call_command
from django.db import connection, transaction
from django.db.models.functions import Now
from django.utils import timezone

from profiles.models import Credential, IntegrationProfile, JobRun
from samsaas import diagnosis
from samsaas.diagnosis import jobs
from samsaas.models import Heartbeat
from tests import factories
from tests.samsaas.diagnosis.doctor_world import PASSWORD, examine

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
    assert "a key that encrypts, and 1 older" in examine()[1]["encryption keys"]["message"]


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
    factories.profile(display_name="Asking", attention=IntegrationProfile.Attention.NEEDS_AUTHORIZATION)
    assert "Need authorization: Asking." in examine()[1]["integration profiles"]["message"]
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


def test_a_postgresql_that_was_built_without_icu(healthy):
    if connection.vendor != "postgresql":
        return
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("update pg_collation set collname = 'another' where collname = 'und-x-icu'")
        code, found = examine()
        transaction.set_rollback(True)
    assert code == 1 and "no collation und-x-icu" in found["database"]["message"]
    assert "--with-icu" in found["database"]["remedy"]


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
    assert found["worker"]["level"] == "OK"


def test_credentials_are_never_part_of_a_report(healthy):
    factories.credential(client_secret=PASSWORD, access_token=PASSWORD, state=Credential.State.CONNECTED)
    assert PASSWORD not in str(examine())
