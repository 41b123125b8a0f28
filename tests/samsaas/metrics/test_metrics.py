"""/metrics: who may read it, and what an operator sees there of runs, vendors, removals, mails and processes."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest
from django.core.checks import run_checks
from django.db import OperationalError
from django.test import Client
from django.utils import timezone
from prometheus_client.parser import text_string_to_metric_families

from profiles.models import JobRun
from samsaas.models import Heartbeat, Mail, Notification, Webhook, WebhookCall
from tests import factories

pytestmark = pytest.mark.django_db
TOKEN = "a-token-of-forty-letters-that-is-random-x"
HOUR = timedelta(hours=1)


@pytest.fixture(autouse=True)
def token(settings: Any) -> None:
    settings.METRICS_TOKEN = TOKEN


def ask(client: Client, authorization: str = f"Bearer {TOKEN}") -> Any:
    return client.get("/metrics", headers={"Authorization": authorization})


def figures(client: Client) -> dict[tuple[str, frozenset[tuple[str, str]]], float]:
    """Every figure by its name and labels, read as Prometheus reads them."""
    found = {}
    for family in text_string_to_metric_families(ask(client).content.decode()):
        assert family.documentation, family.name
        found.update({(one.name, frozenset(one.labels.items())): one.value for one in family.samples})
    return found


def value(found: Any, figure: str, **labels: str) -> float:
    number: float = found[figure, frozenset(labels.items())]
    return number


def mail(state: str, *, queued: datetime, not_before: datetime) -> None:
    until = not_before + 24 * HOUR
    Mail.objects.create(
        to="ann@example.com",
        subject="x",
        body="x",
        state=state,
        queued_at=queued,
        not_before=not_before,
        give_up_at=until,
    )


@pytest.mark.parametrize(
    "sent", ["", "Bearer", "Bearer ", "Bearer wrong", f"Basic {TOKEN}", TOKEN, f"Bearer {TOKEN}x", "Bearer é"]
)
def test_without_the_token_nobody_reads_anything_also_no_administrator(signed_in: Any, sent: str) -> None:
    for client in (Client(), signed_in("admin")):
        answer = ask(client, sent)
        assert answer.status_code == 401 and answer["WWW-Authenticate"] == "Bearer"
        assert b"samsaas_" not in answer.content


def test_without_a_token_in_the_settings_there_is_no_such_page(client: Client, settings: Any) -> None:
    settings.METRICS_TOKEN = ""
    assert ask(client).status_code == ask(client, "Bearer ").status_code == 404


def test_a_token_that_can_be_guessed_is_refused_at_the_start(settings: Any) -> None:
    settings.METRICS_TOKEN = "secret"
    (found,) = [one for one in run_checks() if one.id == "samsaas.E022"]
    assert "secret" not in f"{found.msg}{found.hint}"


def test_runs_are_counted_by_process_and_state_and_the_queue_has_an_age(client: Client) -> None:
    now, profile = timezone.now(), factories.profile()
    waited = {"process": "download_subscriptions", "profile": profile}
    factories.run(**waited, state=JobRun.State.QUEUED, created_at=now - 2 * HOUR)
    factories.run(
        process="pull_activity", profile=profile, state=JobRun.State.FAILED, finished_at=now - HOUR, retries=3
    )
    factories.run(process="pull_activity", profile=profile, state=JobRun.State.FAILED, finished_at=now - 25 * HOUR)
    found = figures(client)
    assert value(found, "samsaas_runs_active", process="download_subscriptions", state="queued") == 1
    assert value(found, "samsaas_runs_ended_day", process="pull_activity", state="failed") == 1
    assert value(found, "samsaas_vendor_repeats_day", process="pull_activity", vendor="dropbox") == 3
    assert value(found, "samsaas_queue_age_seconds") == pytest.approx(7200, abs=60)


def test_a_run_that_may_not_begin_yet_makes_the_queue_no_older(client: Client) -> None:
    now = timezone.now()
    factories.run(profile=factories.profile(), state="queued", created_at=now - 2 * HOUR, not_before=now + HOUR)
    assert value(figures(client), "samsaas_queue_age_seconds") == 0


def test_published_profiles_show_how_old_their_data_is_and_whether_they_need_somebody(client: Client) -> None:
    now = timezone.now()
    one = factories.profile(
        display_name='Dropbox "Nord"\n',
        status="published",
        attention="needs_authorization",
        refreshed_at=now - 3 * HOUR,
    )
    factories.profile(display_name="Draft", status="draft")
    found, labels = figures(client), {"profile": str(one.pk), "name": 'Dropbox "Nord"\n', "vendor": "dropbox"}
    assert value(found, "samsaas_refresh_age_seconds", **labels) == pytest.approx(3 * 3600, abs=60)
    assert value(found, "samsaas_profile_needs_attention", **labels) == 1
    assert not any(name == "samsaas_activity_age_seconds" for name, _ in found), "it was never pulled"
    assert not any(("name", "Draft") in of for _, of in found)


def test_candidates_mails_and_silent_processes_are_counted(client: Client) -> None:
    now = timezone.now()
    factories.candidate()
    mail("queued", queued=now - HOUR, not_before=now - HOUR)
    mail("failed", queued=now - HOUR, not_before=now - 5 * HOUR)
    Heartbeat.record(Heartbeat.BEAT)
    found = figures(client)
    assert sum(number for (name, _), number in found.items() if name == "samsaas_candidates_open") == 1
    assert value(found, "samsaas_mails_day", state="failed") == 1
    assert value(found, "samsaas_mail_age_seconds") == pytest.approx(3600, abs=60)
    assert value(found, "samsaas_process_silent_seconds", name="beat") < 60


def test_an_empty_installation_has_figures_too(client: Client) -> None:
    answer = ask(client)
    assert answer.status_code == 200 and answer["Content-Type"].startswith("text/plain; version=")
    assert value(figures(client), "samsaas_queue_age_seconds") == 0


def test_it_costs_the_same_for_one_profile_and_for_thirty(
    client: Client, django_assert_num_queries: Any, django_assert_max_num_queries: Any
) -> None:
    factories.profile(status="published")
    with django_assert_max_num_queries(20) as few:
        ask(client)
    for number in range(30):
        factories.run(profile=factories.profile(display_name=f"Profile {number}", status="published"))
    with django_assert_num_queries(len(few)):
        ask(client)


def test_a_database_that_is_away_is_said(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    def away() -> Any:
        raise OperationalError("connection refused by 10.1.2.3")

    monkeypatch.setattr(Heartbeat, "silences", away)
    answer = ask(client)
    assert answer.status_code == 503 and b"10.1.2.3" not in answer.content


def test_webhooks_and_what_happened(client: Client) -> None:
    now = timezone.now()
    event = Notification.objects.create(kind="run_failed", key="1", at=now - HOUR, title="Failed", path="/runs/1/")
    Notification.objects.create(kind="run_failed", key="2", at=now - 25 * HOUR, title="Failed", path="/runs/2/")
    given = {"style": "slack", "host": "hooks.example.com", "created_at": now}
    hook = Webhook.objects.create(name="Chat", **given)
    Webhook.objects.create(name="Gone", active=False, stopped_at=now, **given)
    for number, state, minutes in (("a", "queued", 10), ("b", "queued", -10), ("c", "failed", 10)):
        due = now - timedelta(minutes=minutes)
        WebhookCall.objects.create(
            webhook=hook, event=event, number=number, state=state, queued_at=now - HOUR, not_before=due
        )
    found = figures(client)
    assert value(found, "samsaas_notifications_day", kind="run_failed") == 1
    assert value(found, "samsaas_webhook_calls_day", state="queued") == 2
    assert value(found, "samsaas_webhook_calls_day", state="failed") == 1
    assert value(found, "samsaas_webhook_call_age_seconds") == pytest.approx(600, abs=60)
    assert value(found, "samsaas_webhooks_stopped") == 1
    assert "hooks.example.com" not in ask(client).content.decode()
