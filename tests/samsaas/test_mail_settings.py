"""Settings of the mail server: nonsense stops the start with the variable’s name; doctor says whether mails leave."""

from __future__ import annotations

import os
import subprocess
import sys
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.core.exceptions import ImproperlyConfigured
from django.utils import timezone

from samsaas import checks, outbox
from samsaas.diagnosis import mail as mail_checks
from samsaas.environment import Environment
from samsaas.lib.hosts import stands_in
from samsaas.models import Mail
from tests import mail_server

pytestmark = pytest.mark.one_database

ROOT = Path(__file__).parents[2]
env = Environment()


@pytest.mark.parametrize(
    ("address", "host", "port", "tls", "ssl"),
    [
        ("smtp+tls://sam:p%40ss@mail.example.com:2587", "mail.example.com", 2587, True, False),
        ("smtp+tls://mail.example.com", "mail.example.com", 587, True, False),
        ("smtp+ssl://mail.example.com", "mail.example.com", 465, False, True),
        ("smtp://localhost", "localhost", 25, False, False),
        ("", "", 0, False, False),
    ],
)
def test_an_address_of_a_mail_server_is_read(
    monkeypatch: pytest.MonkeyPatch, address: str, host: str, port: int, tls: bool, ssl: bool
) -> None:
    monkeypatch.setenv("EMAIL_URL", address)
    found = env.mail_server("EMAIL_URL")
    assert (found["EMAIL_HOST"], found["EMAIL_PORT"]) == (host, port)
    assert (bool(found.get("EMAIL_USE_TLS")), bool(found.get("EMAIL_USE_SSL"))) == (tls, ssl)
    assert found["EMAIL_HOST_PASSWORD"] == ("p@ss" if "p%40ss" in address else "")


@pytest.mark.parametrize(
    "address",
    [
        "mail.example.com",
        "http://mail.example.com",
        "smtps://mail.example.com",
        "smtp://",
        "smtp://mail.example.com:port",
        "smtp://mail.example.com:99999",
        "smtp://user@mail.example.com",
        "smtp://:s3cret@mail.example.com",
        "smtp://mail.example.com/path",
        "smtp://mail.example.com?tls=1",
        "consolemail://",
        "smtp://user:pa/s3cret@mail.example.com",
    ],
)
def test_an_address_that_is_none_is_refused_without_being_shown(monkeypatch: pytest.MonkeyPatch, address: str) -> None:
    monkeypatch.setenv("EMAIL_URL", address)
    with pytest.raises(ImproperlyConfigured, match="EMAIL_URL has to be an address") as refusal:
        env.mail_server("EMAIL_URL")
    assert "s3cret" not in str(refusal.value)


@pytest.mark.parametrize(
    ("text", "days"),
    [("", []), ("2026-12-24, 12-25,", ["2026-12-24", "12-25"]), ("02-29", ["02-29"])],
)
def test_quiet_days_are_read(monkeypatch: pytest.MonkeyPatch, text: str, days: list[str]) -> None:
    monkeypatch.setenv("RECLAMATION_QUIET_DAYS", text)
    assert env.days("RECLAMATION_QUIET_DAYS") == days


@pytest.mark.parametrize("text", ["Christmas", "24.12.2026", "2026-13-01", "12-32", "2026-12-24;2026-12-25"])
def test_days_that_are_none_are_refused(monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    monkeypatch.setenv("RECLAMATION_QUIET_DAYS", text)
    with pytest.raises(ImproperlyConfigured, match="RECLAMATION_QUIET_DAYS"):
        env.days("RECLAMATION_QUIET_DAYS")


@pytest.mark.parametrize(
    "sender", ["", "Licenses", "licenses@", "a@b@c", "zoë@example.com", "x@example.com\nBcc: all@example.com", "<>"]
)
def test_with_a_server_and_without_a_sender_nothing_starts(settings: Any, sender: str) -> None:
    settings.EMAIL_HOST, settings.DEFAULT_FROM_EMAIL = "mail.example.com", sender
    (problem,) = checks.mail_sender(None)
    assert problem.id == "samsaas.E016" and problem.is_serious() and "MAIL_FROM" in problem.msg


@pytest.mark.parametrize(
    "sender", ["licenses@example.com", "Licenses <licenses@example.com>", "Zoë <l@bücher.example>"]
)
def test_a_sender_may_have_a_name(settings: Any, sender: str) -> None:
    settings.EMAIL_HOST, settings.DEFAULT_FROM_EMAIL = "mail.example.com", sender
    assert checks.mail_sender(None) == []


def test_a_password_in_plain_text_over_the_network_is_warned_of(settings: Any) -> None:
    settings.EMAIL_HOST, settings.DEFAULT_FROM_EMAIL = "mail.example.com", "l@example.com"
    settings.EMAIL_HOST_USER, settings.EMAIL_HOST_PASSWORD = "sam", "s3cret"
    (warning,) = checks.mail_sender(None)
    assert warning.id == "samsaas.W017" and not warning.is_serious()
    settings.EMAIL_USE_TLS = True
    assert checks.mail_sender(None) == []


@pytest.mark.own_database
@pytest.mark.parametrize("wrong", [{"EMAIL_URL": "mail.example.com"}, {"EMAIL_URL": "smtp://mail.example.com"}])
def test_a_real_process_does_not_start_with_nonsense(wrong: dict[str, str]) -> None:
    code = (
        "import django; from samsaas import startup; startup.require_readable_settings('worker'); django.setup(); "
        "startup.refuse_unless_usable('worker')"
    )
    surroundings = {
        "PATH": os.environ["PATH"],
        "SAMSAAS_ENV_FILE": os.devnull,
        "DJANGO_SETTINGS_MODULE": "samsaas.settings",
        "SECRET_KEY": "x" * 50,
        "CELERY_BROKER_URL": "redis://127.0.0.1:6379/0",
        **wrong,
    }
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, env=surroundings, capture_output=True, text=True, check=False
    )
    assert done.returncode == os.EX_CONFIG
    assert ("EMAIL_URL has to be" if "://" not in wrong["EMAIL_URL"] else "MAIL_FROM is not usable") in done.stderr


def lines(check: Any) -> list[tuple[str, str]]:
    return [(finding.level, finding.message) for finding in check()]


@pytest.mark.parametrize(("counts", "level"), [(True, "OK"), (False, "WARN")])
def test_doctor_says_that_mails_stay_here(settings: Any, counts: bool, level: str) -> None:
    settings.EMAIL_HOST, settings.KEPT_MAILS_COUNT = "", counts
    ((found, message),) = lines(mail_checks.mail_server)
    assert found == level and "reach nobody" in message


def test_doctor_tries_the_mail_server(settings: Any) -> None:
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.DEFAULT_FROM_EMAIL = "l@example.com"
    with mail_server.run() as running:
        settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", running.port
        ((level, message),) = lines(mail_checks.mail_server)
        assert level == "OK" and "l@example.com" in message
    ((level, message),) = lines(mail_checks.mail_server)
    assert level == "FAIL" and "refused" in message


@pytest.mark.django_db
def test_doctor_says_what_waits_too_long_and_what_failed(settings: Any) -> None:
    settings.MAIL_ANY_HOUR, now = True, timezone.now()
    assert [level for level, _ in lines(mail_checks.outbox_state)] == ["OK"]
    for state in ("queued", "failed"):
        mail = outbox.queue(to="a@example.com", subject="x", body="x", give_up_at=now + timedelta(days=1), now=now)
        Mail.objects.filter(pk=mail.pk).update(state=state, not_before=now - timedelta(hours=1))
    assert [level for level, _ in lines(mail_checks.outbox_state)] == ["FAIL", "WARN"]


@pytest.mark.parametrize(
    ("address", "is_stand_in"),
    [
        ("http://127.0.0.1:8765", True),
        ("http://localhost:8765", True),
        ("https://sandbox.example", True),
        ("https://dropbox.test", True),
        ("https://api.dropboxapi.com", False),
        ("https://example.com", False),
        ("https://localhost.evil.com", False),
        ("https://127.0.0.1.evil.com", False),
        ("", False),
    ],
)
def test_only_what_can_be_no_vendor_is_a_stand_in(address: str, is_stand_in: bool) -> None:
    assert stands_in(address) is is_stand_in
